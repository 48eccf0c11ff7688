#include <doctest/doctest.h>

#include "controller/adapters/http/transport.h"

using namespace galleryd;
using http::parse_origin;
using http::parse_url;

TEST_CASE("URLs are taken apart without touching the target") {
    struct Row {
        const char* url;
        const char* origin;
        const char* target;
    };
    for (const Row& row : {
             Row{"https://management.azure.com", "https://management.azure.com", "/"},
             Row{"HTTPS://Management.Azure.COM:443/", "https://management.azure.com", "/"},
             Row{"https://h/a%2Fb?api-version=2024-03-03&x=%24y", "https://h", "/a%2Fb?api-version=2024-03-03&x=%24y"},
             Row{"http://127.0.0.1:4480//subscriptions//x", "http://127.0.0.1:4480", "//subscriptions//x"},
             Row{"https://h:8443?q=1", "https://h:8443", "/?q=1"},
             Row{"http://[::1]:80/a", "http://[::1]", "/a"},
             Row{"http://[2001:DB8::1]:8080/", "http://[2001:db8::1]:8080", "/"},
             Row{"https://h/a@b:c?d=e@f", "https://h", "/a@b:c?d=e@f"},
             Row{"https://h/?next=https://other/x", "https://h", "/?next=https://other/x"},
         }) {
        CAPTURE(row.url);
        const auto url = parse_url(row.url);
        REQUIRE(url.has_value());
        CHECK(to_string(url->origin) == row.origin);
        CHECK(url->target == row.target);
    }
    CHECK(parse_url("https://h/")->origin.port == "443");
    CHECK(parse_url("http://h/")->origin.port == "80");
    CHECK(parse_url("http://[::1]/")->origin.host == "::1");
}

TEST_CASE("addresses that could lead a token astray are refused") {
    const std::string long_host(300, 'a');
    for (const std::string& wrong : std::vector<std::string>{"",
                                                             "management.azure.com",
                                                             "/subscriptions",
                                                             "//evil.example/x",
                                                             "ftp://h/",
                                                             "file:///etc/passwd",
                                                             "gopher://h/",
                                                             "javascript://h/",
                                                             "https:/h/",
                                                             "https:h",
                                                             "https://",
                                                             "https:///x",
                                                             "https://?x",
                                                             "https://user@h/",
                                                             "https://user:pw@h/",
                                                             "https://management.azure.com@evil.example/",
                                                             "https://management.azure.com:443@evil.example/",
                                                             "https://h\r\nX-Injected: 1/",
                                                             "https://h/a\r\nHost: evil",
                                                             "https://h/a\nb",
                                                             "https://h/a b",
                                                             "https:// h/",
                                                             " https://h/",
                                                             "https://h/\t",
                                                             "https://h/#f",
                                                             "https://h#f",
                                                             "https://h/a#b?c",
                                                             "https://h\\@evil/",
                                                             "https://h/a\\b",
                                                             "https://h:0/",
                                                             "https://h:65536/",
                                                             "https://h:99999999999/",
                                                             "https://h:/",
                                                             "https://h:-1/",
                                                             "https://h:+1/",
                                                             "https://h:8a/",
                                                             "https://h:80:80/",
                                                             "https://[::1/",
                                                             "https://[::1]x/",
                                                             "https://[]/",
                                                             "https://[:::]/",
                                                             "https://[1::2::3]/",
                                                             "https://[127.0.0.1]/",
                                                             "https://[::1%25eth0]/",
                                                             "https://::1/",
                                                             "https://h%2eexample/",
                                                             "https://h,evil/",
                                                             "https://.h/",
                                                             "https://-h/",
                                                             "https://h_*/",
                                                             "https://h\x01/",
                                                             std::string("https://h/\0a", 12),
                                                             "https://h/\xc3\xa4",
                                                             "https://\xc3\xa4/",
                                                             "https://" + long_host + "/",
                                                             "https://h/" + std::string(40'000, 'a')}) {
        CAPTURE(wrong);
        const auto url = parse_url(wrong);
        REQUIRE_FALSE(url.has_value());
        CHECK(url.error().kind == ErrorKind::invalid);
        CHECK(url.error().reason == "InvalidUrl");
        CHECK(url.error().message.find('\n') == std::string::npos);
        CHECK_FALSE(parse_origin(wrong).has_value());
    }
}

TEST_CASE("an origin has no path and no query") {
    CHECK(parse_origin("https://management.azure.com").has_value());
    CHECK(parse_origin("https://management.azure.com/").has_value());
    CHECK_FALSE(parse_origin("https://management.azure.com/x").has_value());
    CHECK_FALSE(parse_origin("https://management.azure.com?x").has_value());
    CHECK(*parse_origin("https://A") == *parse_origin("https://a:443"));
}

TEST_CASE("header names compare without case, and set replaces every field of a name") {
    http::Headers headers{{"A", "1"}, {"b", "2"}, {"a", "3"}};
    CHECK(headers.get("a") == "1");
    CHECK(headers.all("A") == std::vector<std::string>{"1", "3"});
    CHECK(headers.find("c") == nullptr);
    headers.set("a", "9");
    CHECK(headers.all("A") == std::vector<std::string>{"9"});
    headers.set("New", "x");
    CHECK(headers.get("new") == "x");
    CHECK(headers.fields().size() == 3);
}
