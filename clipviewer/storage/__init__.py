"""Object storage: boto3 on one side, the embedded S3 subset on the other."""
