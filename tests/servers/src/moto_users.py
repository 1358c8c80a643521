"""Makes two users and prints their keys: python users.py ENDPOINT ACCOUNT POLICY."""

import json
import sys

import boto3

endpoint, account, policy = sys.argv[1:]


def iam(key):
    return boto3.client("iam", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"])


def user(client, name, policy):
    arn = client.create_user(UserName=name)["User"]["Arn"]
    assert account in arn, f"another server has this port: {arn}"
    policy = client.create_policy(PolicyName=name, PolicyDocument=policy)["Policy"]["Arn"]
    client.attach_user_policy(UserName=name, PolicyArn=policy)
    return client.create_access_key(UserName=name)["AccessKey"]


everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
# These four calls are not checked, those after them are.
admin = user(iam({"AccessKeyId": "nobody", "SecretAccessKey": "nothing"}), "admin", json.dumps(everything))
print(json.dumps({"admin": admin, "user": user(iam(admin), "user", policy)}, default=str))
