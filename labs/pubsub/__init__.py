"""The word counter of article 3: Slack, API Gateway, DynamoDB, SNS and three Lambda functions.

`word_counter`, `sns_multiplier` and `sns_logger` are Lambda functions, each a file that runs
alone. They share no code: what binds them is the message on the topic, and nothing else.
"""
