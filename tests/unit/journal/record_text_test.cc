#include "controller/adapters/journal/record_text.h"

#include <doctest/doctest.h>

using namespace galleryd;
using namespace galleryd::journal;

namespace {

ResourceRecord sample() {
    ResourceRecord record;
    record.written_by_us = true;
    record.document = "ImageVersion/images/v1";
    record.failures = 2;
    record.last_failure_at = parse_rfc3339("2026-11-21T04:10:12Z");
    record.region_retries = {{"eastus", 1}};
    record.region_retry_after = {{"eastus", *parse_rfc3339("9999-12-31T23:59:59Z")}};
    return record;
}

// The sample's text with one piece replaced.
std::optional<ResourceRecord> with(const std::string& piece, const std::string& other) {
    std::string text = print_resource_record(sample());
    const std::size_t at = text.find(piece);
    REQUIRE(at != std::string::npos);
    return parse_resource_record(text.replace(at, piece.size(), other));
}

}  // namespace

TEST_CASE("a resource record comes back from its text") {
    const std::string text = print_resource_record(sample());
    const auto record = parse_resource_record(text);
    REQUIRE(record.has_value());
    CHECK(print_resource_record(*record) == text);
    CHECK(record->failures == 2);
    CHECK(record->last_failure_at == sample().last_failure_at);
    CHECK(record->region_retry_after == sample().region_retry_after);
}

TEST_CASE("a number that galleryd never wrote makes a record damaged, and not another record") {
    CHECK(with("\"failures\":2", "\"failures\":3").has_value());
    for (const char* number : {"2.5", "1e30", "-1", "2147483648", "18446744073709551615", "\"2\"", "null", "true"}) {
        CAPTURE(number);
        CHECK_FALSE(with("\"failures\":2", "\"failures\":" + std::string(number)).has_value());
        CHECK_FALSE(with("{\"eastus\":1}", "{\"eastus\":" + std::string(number) + "}").has_value());
    }
    CHECK_FALSE(with("{\"eastus\":1}", "[1]").has_value());
}

TEST_CASE("an instant outside of the years 0001 to 9999 makes a record damaged: nobody can count with it") {
    CHECK(with("\"deletedAt\":null", "\"deletedAt\":0").has_value());
    for (const char* time :
         {"9223372036854775807", "-9223372036854775808", "253402300800000000", "1e300", "0.5", "\"x\""}) {
        CAPTURE(time);
        CHECK_FALSE(with("\"deletedAt\":null", "\"deletedAt\":" + std::string(time)).has_value());
    }
}
