"""The child process that opens untrusted media within limits, so that no file decides about the server's memory."""
