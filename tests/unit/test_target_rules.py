"""Allowed targets: the way an address is written or found changes nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leanbe_emitter.errors import InvalidTarget, InvalidValue
from leanbe_emitter.target_rules import LONGEST_URL, Target, TargetRules, check_address, check_url

DEFAULT = TargetRules()
EXPOSED = TargetRules(exposed=True)


def refusal(url: str, rules: TargetRules = DEFAULT, *, require_https: bool = False) -> str:
    with pytest.raises(InvalidTarget) as caught:
        check_url(url, rules, require_https=require_https)
    assert caught.value.hint
    return str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:8000/webhook",
        "HTTPS://Example.COM",
        "https://hooks.example.com/leanbe?token=a%20b&c=d",
        "http://127.0.0.1:1/",
        "http://[::1]:65535/hook",
        "http://receiver_1:8000/",
        "http://example.com./",
        "http://10.0.0.1/",
        "http://93.184.216.34/",
        "https://xn--bcher-kva.example/é",
        "http://example.com/a@b",
    ],
)
def test_a_url_that_may_be_called_comes_back_as_it_was_given(url: str) -> None:
    assert check_url(url, DEFAULT) == url


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "empty"),
        ("/webhook", "not an http or https URL"),
        ("localhost:8000", "not an http or https URL"),
        ("//example.com/", "not an http or https URL"),
        ("ftp://example.com/", "not an http or https URL"),
        ("javascript:alert(1)", "not an http or https URL"),
        ("file:///etc/passwd", "not an http or https URL"),
        ("http:example.com", "has no host"),
        ("http:///webhook", "has no host"),
        ("http://example.com/#part", "fragment"),
        ("http://example.com/#", "fragment"),
        ("http://example.com/a b", "the character ' ' at 20"),
        ("http://example.com/a\nHost: b", r"the character '\n' at 20"),
        (" http://example.com/", "the character ' ' at 0"),
        ("http://example.com\\@b/", "character"),
        ("http://example.com/\x7f", "character"),
        ("http://example.com/\u2028", "character"),
        ("http://example.com/\ud800", "character"),
        ("http://example.com:/", "invalid port"),
        ("http://example.com:0/", "invalid port"),
        ("http://example.com:65536/", "invalid port"),
        ("http://example.com:+80/", "invalid port"),
        ("http://example.com:8٣/", "invalid port"),
        ("http://example.com:" + "9" * 3000, "invalid port"),
        ("http://[::1/", "malformed"),
        ("http://[::1]x/", "malformed"),
        ("http://[]/", "malformed"),
        ("http://[1.2.3.4]/", "malformed"),
        ("http://[fe80::1%25eth0]/", "malformed"),
        ("http://[::1::2]/", "malformed"),
        ("http://bücher.example/", "xn--"),
        ("http://exa%6dple.com/", "is no valid name"),
        ("http://-a.example/", "is no valid name"),
        ("http://a..b/", "is no valid name"),
        ("http://.../", "is no valid name"),
        ("http://" + "a." * 130 + "b/", "is no valid name"),
        ("http://example.com/" + "a" * LONGEST_URL, f"has {LONGEST_URL + 19} characters"),
    ],
)
def test_a_url_that_is_none_or_hides_something_is_refused_with_the_reason(
    url: str, reason: str
) -> None:
    assert reason in refusal(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://ana:s3cret@example.com/",
        "http://s3cret@example.com/",
        "http://ana:s3cret/x@example.com/",
        "http://ana:s3cret?x@example.com/",
        "http://ana:s3cret#x@example.com/",
        "http://ana:s3c ret@example.com/",
        "ftp://ana:s3cret@example.com/",
        "http:ana:s3cret@example.com/",
        "http://ana:s3cret@example.com:port/",
    ],
)
def test_credentials_are_refused_and_never_shown(url: str) -> None:
    assert "s3c" not in refusal(url)


def test_a_long_url_is_cut_where_it_is_shown() -> None:
    assert len(refusal("http://example.com/" + "a" * 10**6)) < 400


@pytest.mark.parametrize(
    "host",
    [
        "0x7f.1",
        "2130706433",
        "127.1",
        "0177.0.0.1",
        "127.0.0.01",
        "0x",
        "1.2.3.4.5",
        "256.0.0.1",
        "127.0.0.1.",
        "a.0x7f",
        "017700000001",
        "0xA9FEA9FE",
        "example.1",
        "\N{FULLWIDTH DIGIT ONE}.0.0.1",
    ],
)
def test_an_address_in_an_odd_form_is_refused_whatever_it_means(host: str) -> None:
    everything = TargetRules(allow=("0.0.0.0/0", "::/0"))
    assert "odd form of an address" in refusal(f"http://{host}/", everything)


def test_under_require_https_http_is_refused() -> None:
    assert "require_https" in refusal("http://example.com/", require_https=True)
    assert check_url("https://example.com/", DEFAULT, require_https=True)


FORBIDDEN = [
    ("169.254.1.1", "link-local"),
    ("fe80::1", "link-local"),
    ("224.0.0.1", "multicast"),
    ("ff02::1", "multicast"),
    ("0.0.0.0", "unspecified"),
    ("0.1.2.3", "unspecified"),
    ("::", "unspecified"),
    ("255.255.255.255", "broadcast"),
    ("::ffff:169.254.1.1", "link-local"),
    ("::ffff:0.0.0.0", "unspecified"),
    ("::169.254.1.1", "link-local"),
    ("64:ff9b::a9fe:101", "link-local"),
    ("2002:a9fe:101::", "link-local"),
    ("::ffff:0:169.254.1.1", "link-local"),
    ("64:ff9b:1::a9fe:101", "link-local"),
    ("64:ff9b:1:a9fe:1:100::", "link-local"),
    ("2001:0:a9fe:101::", "link-local"),
]
METADATA = ["169.254.169.254", "fd00:ec2::254", "100.100.100.200", "169.254.170.2"]
METADATA += ["::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "::a9fe:a9fe", "2002:a9fe:a9fe::1"]
METADATA += ["169.254.42.42", "169.254.10.10", "169.254.169.250", "100.96.0.96", "100.80.80.80"]
METADATA += ["fd00:c1::a9fe:a9fe", "fd00:100::100:200", "fd00:42::42", "fd00:a9fe:a9fe::1"]
METADATA += ["fe80::a9fe:a9fe", "fe80::a9fe:a9fe%eth0", "::ffff:0:a9fe:a9fe"]
# A Teredo address carries its server and, inverted, its client.
METADATA += ["2001:0:a9fe:a9fe::", "2001:0:102:304:0:ffff:5601:5601"]
# After the prefix of a network's own translators, the IPv4 address follows 48, 56, 64 or 96 bits.
METADATA += ["64:ff9b:1:a9fe:a9:fe00::", "64:ff9b:1:a9:fe:a9fe::", "64:ff9b:1:0:a9:fea9:fe00:0"]
METADATA += ["64:ff9b:1::a9fe:a9fe", "64:ff9b:1:ffff::6464:64c8"]


def refused_address(address: str, rules: TargetRules = DEFAULT, *, host: str = "evil.test") -> str:
    with pytest.raises(InvalidTarget) as caught:
        check_address(address, rules, host=host)
    return str(caught.value)


@pytest.mark.parametrize(("address", "rule"), FORBIDDEN)
def test_a_refused_address_names_address_host_rule_and_setting(address: str, rule: str) -> None:
    message = refused_address(address)
    for part in (address, "evil.test", rule, "LEANBE_EMITTER_ALLOW_TARGETS"):
        assert part in message


@pytest.mark.parametrize(("address", "rule"), FORBIDDEN)
def test_the_same_address_is_refused_as_a_literal(address: str, rule: str) -> None:
    host = f"[{address}]" if ":" in address else address
    assert rule in refusal(f"http://{host}:8000/")


@pytest.mark.parametrize("address", METADATA)
def test_no_option_allows_metadata_addresses(address: str) -> None:
    everything = TargetRules(allow=("0.0.0.0/0", "::/0", "evil.test", address))
    assert "metadata" in refused_address(address, everything)


@pytest.mark.parametrize(
    "allow", [("169.254.0.0/16",), ("169.254.1.1",), ("EVIL.test",), ("evil.test.",)]
)
def test_allowed_targets_may_be_called(allow: tuple[str, ...]) -> None:
    check_address("169.254.1.1", TargetRules(allow=allow), host="Evil.Test")


def test_allowing_an_ipv4_network_allows_its_mapped_addresses() -> None:
    check_address("::ffff:169.254.1.1", TargetRules(allow=("169.254.0.0/16",)), host="evil.test")


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.9.9.9",
        "::1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "fd12::1",
        "fc00::1",
        "::ffff:10.0.0.1",
    ],
)
def test_an_exposed_server_may_call_loopback_and_private_networks(address: str) -> None:
    check_address(address, EXPOSED, host="receiver.test")


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "2606:2800::1", "172.32.0.1", "100.128.0.1", "198.18.0.1"]
)
def test_an_exposed_server_calls_nothing_else_unless_it_is_allowed(address: str) -> None:
    assert "only loopback and private networks" in refused_address(address, EXPOSED)
    check_address(address, DEFAULT, host="receiver.test")
    check_address(address, TargetRules(exposed=True, allow=(address,)), host="receiver.test")


def test_an_address_that_carries_another_is_private_only_if_both_are() -> None:
    assert "only loopback" in refused_address("2002:a00:1::", EXPOSED)


@pytest.mark.parametrize(
    "entry", ["10.0.0.1/8", "10.0.0.0/33", "http://a.test", "a.test:80", "", "a b", "*", "127.1"]
)
def test_an_entry_that_allows_nothing_sensible_is_refused(entry: str) -> None:
    with pytest.raises(InvalidValue, match="is no") as caught:
        TargetRules(allow=(entry,))
    assert "LEANBE_EMITTER_ALLOW_TARGETS" in caught.value.hint


@given(st.text() | st.text().map(lambda text: f"http://{text}"))
def test_any_text_either_passes_and_can_be_taken_apart_or_is_an_invalid_target(url: str) -> None:
    try:
        check_url(url, DEFAULT)
    except InvalidTarget:
        return
    target = Target.of(url)
    assert target.host
    assert 1 <= target.port <= 65535
    assert target.path.isascii()
    assert target.path.startswith("/")


@given(address=st.ip_addresses(), exposed=st.booleans())
def test_every_address_is_either_let_through_or_refused_with_a_hint(
    *, address: object, exposed: bool
) -> None:
    try:
        check_address(str(address), TargetRules(exposed=exposed), host="a.test")
    except InvalidTarget as error:
        assert "LEANBE_EMITTER_ALLOW_TARGETS" in error.hint  # noqa: PT017 - both ends are right


@pytest.mark.parametrize(
    "address", ["64:ff9b:1::a01:203", "2001:0:102:304::f5fe:fdfc", "::ffff:0:a01:203"]
)
def test_an_address_that_carries_a_harmless_one_may_be_called(address: str) -> None:
    check_address(address, DEFAULT, host="receiver.test")


ONLY = TargetRules(only=("10.0.0.0/8", "Hooks.test."), exposed=True)


@pytest.mark.parametrize(
    ("address", "host"),
    [("10.9.9.9", "evil.test"), ("::ffff:10.9.9.9", "evil.test"), ("93.184.216.34", "hooks.test")],
)
def test_listed_networks_and_names_may_be_called_where_they_are_the_only_targets(
    address: str, host: str
) -> None:
    check_address(address, ONLY, host=host)


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "::1", "11.0.0.1", "93.184.216.34", "192.168.0.1"]
)
@pytest.mark.parametrize("exposed", [True, False])
def test_nothing_else_may_be_called(address: str, *, exposed: bool) -> None:
    rules = TargetRules(only=ONLY.only, exposed=exposed)
    message = refused_address(address, rules, host="other.hooks.test")
    assert "one of the only targets" in message
    assert "LEANBE_EMITTER_ONLY_TARGETS" in message


@pytest.mark.parametrize("address", METADATA)
def test_metadata_addresses_cannot_be_the_only_targets(address: str) -> None:
    everything = TargetRules(only=("0.0.0.0/0", "::/0", "evil.test"))
    assert "metadata" in refused_address(address, everything)


@pytest.mark.parametrize(
    ("url", "authority", "path"),
    [
        ("http://Example.com", "example.com", "/"),
        ("http://example.com:80/a", "example.com", "/a"),
        ("https://example.com:80/a?", "example.com:80", "/a?"),
        ("http://[::1]:8000?q=1", "[::1]:8000", "/?q=1"),
        ("https://[::1]:443/", "[::1]", "/"),
        ("http://a.test/é/%c3%A9?ü=%20&x=[1]", "a.test", "/%C3%A9/%c3%A9?%C3%BC=%20&x=[1]"),
        ("http://a.test//x/../y;z", "a.test", "//x/../y;z"),
    ],
)
def test_a_url_is_taken_apart_and_changed_only_where_the_request_line_asks_for_it(
    url: str, authority: str, path: str
) -> None:
    target = Target.of(url)
    assert (target.authority, target.path) == (authority, path)


@pytest.mark.parametrize("url", ["", "ftp://a.test/", "http://[", "http://a.test:x/"])
def test_a_text_that_is_no_url_to_call_is_not_taken_apart(url: str) -> None:
    with pytest.raises(InvalidTarget, match="cannot be called"):
        Target.of(url)
