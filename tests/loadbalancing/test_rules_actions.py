"""What the balancer answers, forwards and rewrites."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.loadbalancing.layer7.contract import Request
from labs.loadbalancing.rules import (
    GROUP_COOKIE,
    LIMITS,
    RewriteFailed,
    answer,
    choose_group,
    compile_rules,
    fixed_response,
    group_cookies,
    redirect,
    rewrite,
)

REQUEST = Request(
    "GET", "/a/b%20c?x=1&y=2", (("Host", "Shop.Example.com:8080"),), ("203.0.113.5", 9), "http", 80
)


def location(**config):
    response = redirect({"RedirectConfig": {"StatusCode": "HTTP_302", **config}}, REQUEST)
    return dict(response.headers)["Location"]


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        # AWS's example: to HTTPS, everything else kept. An ALB writes the port, even 443.
        (
            {
                "Protocol": "HTTPS",
                "Port": "443",
                "Host": "#{host}",
                "Path": "/#{path}",
                "Query": "#{query}",
            },
            "https://shop.example.com:443/a/b%20c?x=1&y=2",
        ),
        ({"Host": "example.org"}, "http://example.org:80/a/b%20c?x=1&y=2"),
        ({"Path": "/new/#{path}"}, "http://shop.example.com:80/new/a/b%20c?x=1&y=2"),
        ({"Path": "/new", "Query": ""}, "http://shop.example.com:80/new"),
        ({"Query": "#{query}&value=xyz"}, "http://shop.example.com:80/a/b%20c?x=1&y=2&value=xyz"),
        (
            {"Host": "www.#{host}", "Path": "/#{host}/#{port}", "Query": "p=#{protocol}"},
            "http://www.shop.example.com:80/shop.example.com/80?p=http",
        ),
    ],
)
def test_a_redirect_changes_what_it_names_and_keeps_the_rest(config, expected):
    assert location(**config) == expected


def test_a_keyword_in_the_request_is_not_filled_in():
    request = Request("GET", "/#{host}?#{port}", (("Host", "a.b"),), ("203.0.113.5", 9))
    response = redirect({"RedirectConfig": {"StatusCode": "HTTP_301"}}, request)
    assert "#{" not in dict(response.headers)["Location"].replace(request.path, "")


def test_a_redirect_has_the_page_of_an_alb():
    response = redirect({"RedirectConfig": {"StatusCode": "HTTP_301", "Path": "/"}}, REQUEST)
    assert response.status == 301
    assert b"<h1>301 Moved Permanently</h1>" in response.body
    assert len(response.body) == 134  # as ALBs send it, seen in reports of their answers


def test_a_fixed_response_has_its_text_and_type():
    config = {
        "StatusCode": "418",
        "ContentType": "application/json",
        "MessageBody": '{"tea": "☕"}',
    }
    response = fixed_response({"FixedResponseConfig": config})
    assert response.status == 418
    assert dict(response.headers) == {"Content-Type": "application/json"}
    assert response.body.decode() == '{"tea": "☕"}'
    assert fixed_response({"FixedResponseConfig": {"StatusCode": "200"}}).body == b""


def compiled(*actions):
    described = {"RuleArn": "arn", "Priority": "default", "Conditions": [], "Actions": actions}
    return compile_rules([described]).match(REQUEST)


def test_the_balancer_answers_itself_unless_the_rule_forwards():
    fixed = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
    moved = {"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301", "Host": "x.y"}}
    assert answer(compiled(fixed), REQUEST).status == 404
    assert answer(compiled(moved), REQUEST).status == 301
    assert answer(compiled({"Type": "forward", "TargetGroupArn": "g"}), REQUEST) is None


@pytest.mark.parametrize("kind", ["authenticate-oidc", "authenticate-cognito", "jwt-validation"])
def test_what_the_mock_does_not_implement_is_said_and_never_skipped(kind):
    forward = {"Type": "forward", "TargetGroupArn": "g", "Order": 2}
    response = answer(compiled(forward, {"Type": kind, "Order": 1}), REQUEST)
    assert response.status == 501
    assert kind in response.body.decode()


def forward(stickiness=None, **weights):
    groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights.items()]
    config = {"TargetGroups": groups, "TargetGroupStickinessConfig": stickiness or {}}
    return {"Type": "forward", "ForwardConfig": config}


STICKY = {"Enabled": True, "DurationSeconds": 60}


def test_a_single_group_needs_no_choice():
    assert choose_group({"Type": "forward", "TargetGroupArn": "g"}, Random(1)) == "g"
    assert choose_group(forward(g=1), Random(1)) == "g"


def test_groups_are_chosen_by_weight():
    random = Random(7)
    chosen = Counter(choose_group(forward(blue=90, green=10, off=0), random) for _ in range(5000))
    assert set(chosen) == {"blue", "green"}
    assert 6 < chosen["blue"] / chosen["green"] < 14


def test_without_any_weight_there_is_no_group():
    assert choose_group(forward(blue=0, green=0), Random(1)) is None


def cookie(action, arn):
    [(_, plain), (_, cross_origin)] = group_cookies(action, arn, now=0.0)
    value, _, attributes = plain.partition("; ")
    assert cross_origin.startswith(f"{GROUP_COOKIE}CORS=")
    assert cross_origin.endswith("SameSite=None; Secure")
    return value.removeprefix(f"{GROUP_COOKIE}="), attributes


def test_a_sticky_client_keeps_its_group_whatever_the_weights():
    action = forward(STICKY, blue=1, green=999)
    value, attributes = cookie(action, "blue")
    assert attributes == "Expires=Thu, 01 Jan 1970 00:01:00 GMT; Path=/"
    assert {choose_group(action, Random(seed), value) for seed in range(50)} == {"blue"}
    assert choose_group(forward(STICKY, blue=0, green=1), Random(1), value) == "blue"


def test_a_cookie_counts_only_where_stickiness_is_on_and_the_group_is_there():
    value, _ = cookie(forward(STICKY, blue=1, green=1), "blue")
    assert choose_group(forward(blue=0, green=1), Random(1), value) == "green"
    assert choose_group(forward(STICKY, red=0, green=1), Random(1), value) == "green"
    assert group_cookies(forward(blue=1, green=1), "blue", 0.0) == ()


def test_a_cookie_does_not_give_the_group_away():
    value, _ = cookie(forward(STICKY, blue=1, green=1), "blue")
    assert "blue" not in value


@given(st.text())
def test_a_cookie_made_up_by_a_client_is_worth_nothing(value):
    assert choose_group(forward(STICKY, blue=0, green=1), Random(1), value) == "green"


def url_rewrite(regex, replace):
    config = {"Rewrites": [{"Regex": regex, "Replace": replace}]}
    return {"Type": "url-rewrite", "UrlRewriteConfig": config}


def host_rewrite(regex, replace):
    config = {"Rewrites": [{"Regex": regex, "Replace": replace}]}
    return {"Type": "host-header-rewrite", "HostHeaderRewriteConfig": config}


def rewritten(url, *transforms):
    return rewrite(
        transforms, Request("GET", url, (("Host", "mywebsite-example.com"),), ("::1", 1))
    )


def test_the_examples_of_the_guide():
    product = url_rewrite("^/dp/([A-Za-z0-9]+)/?$", "/product.php?id=$1")
    internal = host_rewrite("^mywebsite-(.+).com$", "internal.dev.$1.myweb.com")
    assert rewritten("/dp/B09G3HRMW", product) == ("/product.php?id=B09G3HRMW", None)
    assert rewritten("/project-a", internal) == (None, "internal.dev.example.myweb.com")
    assert rewritten("/dp/1", internal, product) == (
        "/product.php?id=1",
        "internal.dev.example.myweb.com",
    )


def test_without_a_match_the_request_stays_as_it_is():
    assert rewritten("/x", url_rewrite("^/dp/", "/"), host_rewrite("^nobody", "a")) == (None, None)
    assert rewritten("/x") == (None, None)


def test_the_query_is_part_of_the_url():
    assert rewritten("/a?x=1", url_rewrite("^/(.*)$", "/v1/$1")) == ("/v1/a?x=1", None)
    assert rewritten("/a?x=1", url_rewrite(r"\?.*$", "")) == ("/a", None)
    assert rewritten("/api/api", url_rewrite("/api", "")) == ("/api", None)


def test_a_group_that_matched_nothing_is_empty():
    assert rewritten("/b", url_rewrite("^/(a)?b", "/$1c")) == ("/c", None)


@pytest.mark.parametrize(
    "transform",
    [
        url_rewrite("^/(a)", "/$2"),
        url_rewrite("^/", ""),
        url_rewrite("^/", "http://elsewhere/"),
        url_rewrite("^/", "/x y"),
        url_rewrite("^/", "/x\r\nHost: y"),
        host_rewrite("^.*$", ""),
        host_rewrite("^m", "a b"),
        host_rewrite("^m", "a\r\nX: y"),
    ],
)
def test_a_replacement_of_which_no_request_can_be_made_fails(transform):
    with pytest.raises(RewriteFailed):
        rewritten("/a", transform)


def test_limits_are_those_of_aws_with_their_source():
    assert LIMITS["rules of a balancer"].number == 100
    assert LIMITS["highest priority"].number == 50_000
    assert all(limit.number > 0 and limit.source.endswith(".html") for limit in LIMITS.values())
