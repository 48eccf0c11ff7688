#include "controller/adapters/telemetry/log.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

using namespace galleryd;
using namespace galleryd::telemetry;

namespace {

struct Pipe {
    Pipe() { REQUIRE(::pipe(ends) == 0); }
    ~Pipe() {
        ::close(ends[0]);
        if (ends[1] >= 0) ::close(ends[1]);
    }
    std::string read_all() {
        ::close(ends[1]);
        ends[1] = -1;
        std::string text(200'000, '\0');
        std::size_t size = 0;
        for (ssize_t n = 0; (n = ::read(ends[0], text.data() + size, text.size() - size)) > 0;)
            size += static_cast<std::size_t>(n);
        text.resize(size);
        return text;
    }
    int ends[2] = {-1, -1};
};

LogOptions options_for(const Pipe& pipe, LogFormat format, LogLevel level = LogLevel::info) {
    LogOptions options;
    options.format = format;
    options.level = level;
    options.descriptor = pipe.ends[1];
    options.now = [] { return *parse_rfc3339("2026-11-21T04:10:12Z"); };
    return options;
}

}  // namespace

TEST_CASE("a JSON line is valid JSON whatever its values hold") {
    Pipe pipe;
    const auto log = make_log(options_for(pipe, LogFormat::json));
    log->info("image \"made\"\n", {{"key", "a\nb\"c\\"}, {"bytes", "\xFF\xC3("}, {"level", "mine"}, {"empty", ""}});
    const std::string text = pipe.read_all();
    CHECK(std::count(text.begin(), text.end(), '\n') == 1);
    const auto line = nlohmann::json::parse(text);
    CHECK(line["ts"] == "2026-11-21T04:10:12Z");
    CHECK(line["level"] == "info");
    CHECK(line["msg"] == "image \"made\"\n");
    CHECK(line["key"] == "a\nb\"c\\");
    CHECK(line["bytes"] == "\xEF\xBF\xBD\xEF\xBF\xBD(");
    CHECK(line["level_"] == "mine");
    CHECK(line["empty"] == "");
    CHECK(text.find("\"ts\"") < text.find("\"level\""));
    CHECK(text.find("\"level\"") < text.find("\"msg\""));
}

TEST_CASE("a text line cannot be forged by its values") {
    Pipe pipe;
    const auto log = make_log(options_for(pipe, LogFormat::text));
    log->warning("region failed", {{"region", "eastus2"},
                                   {"cause", "a\n04:10:12 error  forged"},
                                   {"escape", "\x1b[2J"},
                                   {"equal", "a=b"},
                                   {"none", ""}});
    CHECK(pipe.read_all() ==
          "04:10:12 warning region failed  region=eastus2  cause=\"a\\n04:10:12 error  forged\"  escape=\"\\u001b[2J\" "
          " equal=\"a=b\"  none=\"\"\n");
}

TEST_CASE("lines below the level are dropped") {
    Pipe pipe;
    const auto log = make_log(options_for(pipe, LogFormat::json, LogLevel::warning));
    log->debug("no");
    log->info("no");
    log->warning("yes");
    log->error("yes");
    const std::string text = pipe.read_all();
    CHECK(std::count(text.begin(), text.end(), '\n') == 2);
    CHECK(text.find("no") == std::string::npos);
}

TEST_CASE("a line never exceeds 16 KiB, stays valid and says what was left out") {
    Pipe pipe;
    const auto log = make_log(options_for(pipe, LogFormat::json));
    std::string umlauts;
    for (int i = 0; i < 10'000; ++i) umlauts += "ü";
    log->info(
        "m",
        {{"a", umlauts}, {"b", std::string(9000, '\x01')}, {"c", umlauts}, {"d", umlauts}, {"e", umlauts}, {"f", "x"}});
    const std::string text = pipe.read_all();
    CHECK(text.size() <= log_line_bytes_max);
    const auto line = nlohmann::json::parse(text);
    const auto a = line["a"].get<std::string>();
    CHECK(a.size() <= 4096);
    CHECK(a.ends_with("ü…"));
    CHECK(line.contains("fields_dropped"));
}

TEST_CASE("what looks like a credential is redacted") {
    const std::string jwt = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJlLWNhbmFyeQ";
    const struct {
        std::string given, expected;
    } cases[] = {
        {"token " + jwt + " end", "token [redacted] end"},
        {"Authorization: Bearer abc.DEF-123", "Authorization: Bearer [redacted]"},
        {"grant_type=client_credentials&client_secret=s3cr%2Bt~&scope=x",
         "grant_type=client_credentials&client_secret=[redacted]&scope=x"},
        {R"({"access_token":"abc","expires_in":1})", R"({"access_token":"[redacted]","expires_in":1})"},
        {R"({"client_secret": "a b"})", R"({"client_secret": "[redacted]"})"},
        {"key: -----BEGIN RSA PRIVATE KEY-----\nMIIabc", "key: [redacted]"},
        {"https://x.blob.core.windows.net/vhds/a.vhd?sv=2024&sig=AbC%3D&se=1",
         "https://x.blob.core.windows.net/vhds/a.vhd?sv=2024&sig=[redacted]&se=1"},
        {"AccountKey=abc==;EndpointSuffix=x", "AccountKey=[redacted];EndpointSuffix=x"},
        {"Password=hunter2", "Password=[redacted]"},
        {"design=3 signed=yes eyJshort", "design=3 signed=yes eyJshort"},
        {"nothing secret: /subscriptions/s/resourceGroups/g", "nothing secret: /subscriptions/s/resourceGroups/g"},
    };
    for (const auto& [given, expected] : cases) {
        CAPTURE(given);
        CHECK(redact(given) == expected);
    }
    Pipe pipe;
    const auto log = make_log(options_for(pipe, LogFormat::json));
    log->error("refused: client_secret=canary1", {{"header", "Bearer canary2"}});
    CHECK(pipe.read_all().find("canary") == std::string::npos);
}

TEST_CASE("levels and formats are parsed as the flags spell them") {
    CHECK(parse_log_level("warn") == LogLevel::warning);
    CHECK(parse_log_level("debug") == LogLevel::debug);
    CHECK_FALSE(parse_log_level("loud").has_value());
    CHECK(parse_log_format("text") == LogFormat::text);
    CHECK_FALSE(parse_log_format("xml").has_value());
}

TEST_CASE("a long run of beginnings of tokens is looked at once, and a token in it is still found") {
    std::string run;
    while (run.size() < 300'000) run += "eyJ-";
    CHECK(redact(run) == run);  // from each beginning to the end of the run took minutes
    CHECK(redact(run + "a.b c") == "[redacted] c");
    CHECK(redact(run + " eyJhbGciOiJSUzI1NiJ9.eyJ0aWQiOiJUIn0.c2ln") == run + " [redacted]");
}
