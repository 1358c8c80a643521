"""Runs code with clients and prints what it leaves in `answer`: python audit.py ENDPOINT KEY SECRET CODE."""

import json
import sys

import boto3
from botocore.exceptions import ClientError

endpoint, key, secret, code = sys.argv[1:]
account = {"endpoint_url": endpoint, "region_name": "us-east-1", "aws_access_key_id": key, "aws_secret_access_key": secret}
names = {"s3": boto3.client("s3", **account), "iam": boto3.client("iam", **account), "answer": None}
try:
    exec(code, names)
except ClientError as error:
    sys.exit(f"{error.response['Error']['Code']}: {error}")
print(json.dumps(names["answer"], default=str))
