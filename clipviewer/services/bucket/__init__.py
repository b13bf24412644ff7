"""The bucket: presigned URLs, existence checks, and its diagnosis."""
