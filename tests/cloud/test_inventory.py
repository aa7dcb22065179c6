"""`aws.cleanup()` lists what a lesson made, whatever service it is of."""

import pytest
import trustme

from labs import cloud


@pytest.fixture(scope="module")
def aws():
    with cloud.connect(lesson=15) as aws:
        yield aws


def certificate():
    issued = trustme.CA().issue_cert("tea.example", key_type=trustme.KeyType.RSA)
    return issued.cert_chain_pems[0].bytes(), issued.private_key_pem.bytes()


def test_what_lessons_13_to_15_make_is_listed(aws):
    name = aws.name
    ec2, autoscaling = aws.client("ec2"), aws.client("autoscaling")
    acm, iam, route53 = aws.client("acm"), aws.client("iam"), aws.client("route53")
    for spelt in (name("mine"), "somebody-elses"):
        group = {"LaunchTemplateName": spelt}
        ec2.create_launch_template(**group, LaunchTemplateData={"ImageId": "ami-12c6146b"})
        ec2.create_key_pair(KeyName=spelt)
        autoscaling.create_auto_scaling_group(
            AutoScalingGroupName=spelt,
            LaunchTemplate=group,
            MinSize=0,
            MaxSize=0,
            AvailabilityZones=["us-east-1a"],
        )
        route53.create_hosted_zone(Name=f"{spelt}.example", CallerReference=spelt)
        pem, key = certificate()
        acm.import_certificate(
            Certificate=pem, PrivateKey=key, Tags=[{"Key": "Name", "Value": spelt}]
        )
        acm.request_certificate(DomainName=f"{spelt}.example")
        iam.upload_server_certificate(
            ServerCertificateName=spelt, CertificateBody=pem.decode(), PrivateKey=key.decode()
        )
    mine = name("mine")
    assert aws.cleanup() == sorted(
        [
            f"acm {mine}",
            f"acm {mine}.example",
            f"autoscaling {mine}",
            f"ec2 {mine}",
            f"ec2 {mine}",
            f"iam {mine}",
            f"route53 {mine}.example",
        ]
    )
    assert aws.cleanup(confirm=True) == []
    assert autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"] == []
