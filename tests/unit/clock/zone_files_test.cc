#include "controller/adapters/clock/zone_files.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

using namespace galleryd;
using namespace std::chrono_literals;

namespace {

TimePoint at(const char* text) { return *parse_rfc3339(text); }

bool has_tzdata() {
    const bool there = std::filesystem::exists("/usr/share/zoneinfo/Europe/Berlin");
    if (!there) MESSAGE("skipped: tzdata is not installed");
    return there;
}

std::string bytes_of(const std::string& zone) {
    std::ifstream file("/usr/share/zoneinfo/" + zone, std::ios::binary);
    std::ostringstream bytes;
    bytes << file.rdbuf();
    return bytes.str();
}

// A file with one block of 64-bit data: `transitions` (time, type), `offsets` by type, footer.
std::string tzif(const std::vector<std::pair<std::int64_t, int>>& transitions, const std::vector<int>& offsets,
                 const std::string& footer) {
    const auto number = [](std::uint64_t value, int size) {
        std::string text;
        for (int i = size - 1; i >= 0; --i) text += static_cast<char>(value >> (8 * i) & 0xff);
        return text;
    };
    const auto header = [&](std::size_t times, std::size_t types) {
        return "TZif2" + std::string(15, '\0') + number(0, 4) + number(0, 4) + number(0, 4) + number(times, 4) +
               number(types, 4) + number(types == 0 ? 0 : 4, 4);
    };
    std::string file = header(0, 0) + header(transitions.size(), offsets.size());
    for (const auto& [time, type] : transitions) file += number(static_cast<std::uint64_t>(time), 8);
    for (const auto& [time, type] : transitions) file += static_cast<char>(type);
    for (const int offset : offsets) file += number(static_cast<std::uint32_t>(offset), 4) + std::string(2, '\0');
    return file + std::string("ABC\0", 4) + "\n" + footer + "\n";
}

}  // namespace

TEST_CASE("Toronto and Berlin turn their clocks at the second") {
    if (!has_tzdata()) return;
    CHECK(zone_offset("America/Toronto", at("2026-03-08T06:59:59Z")) == -5h);
    CHECK(zone_offset("America/Toronto", at("2026-03-08T07:00:00Z")) == -4h);
    CHECK(zone_offset("America/Toronto", at("2026-11-01T05:59:59Z")) == -4h);
    CHECK(zone_offset("America/Toronto", at("2026-11-01T06:00:00Z")) == -5h);
    CHECK(zone_offset("Europe/Berlin", at("2026-03-29T00:59:59Z")) == 1h);
    CHECK(zone_offset("Europe/Berlin", at("2026-03-29T01:00:00Z")) == 2h);
    CHECK(zone_offset("Europe/Berlin", at("2026-10-25T00:59:59Z")) == 2h);
    CHECK(zone_offset("Europe/Berlin", at("2026-10-25T01:00:00Z")) == 1h);
    CHECK(zone_offset("Europe/Berlin", at("2099-07-01T00:00:00Z")) ==
          2h);  // only the rule at the end of the file speaks of that year
    CHECK(zone_offset("Europe/Berlin", at("1970-06-01T00:00:00Z")) ==
          1h);  // no summer time then: from the list of transitions
    CHECK(zone_offset("Asia/Kolkata", at("2026-06-01T00:00:00Z")) == 5h + 30min);
    CHECK(zone_offset("Australia/Sydney", at("2026-01-01T00:00:00Z")) == 11h);
    CHECK(zone_offset("Australia/Sydney", at("2026-07-01T00:00:00Z")) == 10h);
    CHECK(zone_offset("UTC", at("2026-07-01T00:00:00Z")) == 0s);
}

TEST_CASE("a name never leaves the folder of the zones") {
    for (const char* name : {"", "/etc/passwd", "../../../etc/passwd", "Europe/../Europe/Berlin", "Europe", "Europe/",
                             "No/Such", "Europe/Berlin\n", "posixrules.", "."}) {
        CAPTURE(name);
        CHECK_FALSE(zone_offset(name, at("2026-07-01T00:00:00Z")).has_value());
    }
    CHECK_FALSE(zone_offset(std::string("Europe/Berlin\0x", 15), at("2026-07-01T00:00:00Z")).has_value());
    CHECK_FALSE(zone_offset("tzdata.zi", at("2026-07-01T00:00:00Z")).has_value());
    CHECK_FALSE(zone_offset_in("/nowhere", "Europe/Berlin", at("2026-07-01T00:00:00Z")).has_value());
}

TEST_CASE("the list of transitions counts up to its last one, then the rule") {
    const std::int64_t first = at("2000-01-01T00:00:00Z").time_since_epoch() / 1s,
                       second = at("2001-01-01T00:00:00Z").time_since_epoch() / 1s;
    const std::string file = tzif({{first, 1}, {second, 2}}, {0, 3600, 7200}, "<+03>-3");
    CHECK(offset_from_tzif(file, at("1999-12-31T23:59:59Z")) == 0s);
    CHECK(offset_from_tzif(file, at("2000-01-01T00:00:00Z")) == 1h);
    CHECK(offset_from_tzif(file, at("2000-12-31T23:59:59.5Z")) == 1h);
    CHECK(offset_from_tzif(file, at("2001-01-01T00:00:00Z")) == 3h);
    CHECK(offset_from_tzif(tzif({{first, 1}}, {0, 3600}, ""), at("2026-01-01T00:00:00Z")) == 1h);
    CHECK(offset_from_tzif(tzif({}, {-1800}, ""), at("2026-01-01T00:00:00Z")) == -30min);
    CHECK_FALSE(
        offset_from_tzif(tzif({{first, 9}}, {0, 3600}, ""), at("2026-01-01T00:00:00Z")).has_value());  // no such type
    CHECK_FALSE(offset_from_tzif(tzif({}, {200'000}, ""), at("2026-01-01T00:00:00Z")).has_value());    // no such offset
}

TEST_CASE("a damaged zone file is no zone and no crash") {
    const std::int64_t first = at("2000-01-01T00:00:00Z").time_since_epoch() / 1s;
    const std::string good =
        has_tzdata() ? bytes_of("America/Toronto") : tzif({{first, 1}}, {0, 3600}, "EST5EDT,M3.2.0,M11.1.0");
    for (std::size_t size = 0; size < good.size(); ++size)
        (void)offset_from_tzif(std::string_view(good).substr(0, size), at("2026-07-01T00:00:00Z"));
    CHECK_FALSE(
        offset_from_tzif(std::string_view(good).substr(0, good.size() / 2), at("2026-07-01T00:00:00Z")).has_value());
    CHECK_FALSE(offset_from_tzif("", at("2026-07-01T00:00:00Z")).has_value());
    CHECK_FALSE(offset_from_tzif("TZif", at("2026-07-01T00:00:00Z")).has_value());
    for (std::size_t i = 4; i < 44; ++i) {
        std::string broken = good;
        broken[i] = '\xff';
        (void)offset_from_tzif(broken, at("2026-07-01T00:00:00Z"));
    }
    std::string old = good;
    old[4] = '\0';
    CHECK_FALSE(offset_from_tzif(old, at("2026-07-01T00:00:00Z")).has_value());
}

TEST_CASE("rules are read in every form that POSIX and RFC 8536 allow") {
    const auto july = at("2026-07-01T00:00:00Z"), january = at("2026-01-15T00:00:00Z");
    CHECK(offset_from_rule("EST5EDT,M3.2.0,M11.1.0", july) == -4h);
    CHECK(offset_from_rule("EST5EDT,M3.2.0,M11.1.0", january) == -5h);
    CHECK(offset_from_rule("AEST-10AEDT,M10.1.0,M4.1.0/3", january) == 11h);
    CHECK(offset_from_rule("<-03>3<-02>,M3.5.0/-2,M10.5.0/-1", july) == -2h);  // Nuuk: a turn on the day before
    CHECK(offset_from_rule("<-03>3<-02>,M3.5.0/-2,M10.5.0/-1", at("2026-03-29T00:59:59Z")) == -3h);
    CHECK(offset_from_rule("<-03>3<-02>,M3.5.0/-2,M10.5.0/-1", at("2026-03-29T01:00:00Z")) == -2h);
    CHECK(offset_from_rule("IST-5:30", july) == 5h + 30min);
    CHECK(offset_from_rule("IST-1GMT0,M10.5.0,M3.5.0/1", july) == 1h);  // Dublin: winter is the other one
    CHECK(offset_from_rule("IST-1GMT0,M10.5.0,M3.5.0/1", january) == 0s);
    CHECK(offset_from_rule("XXX3EDT4,0/0,J365/23", july) == -4h);  // summer all year, RFC 8536 §3.3.1
    CHECK(offset_from_rule("XXX3EDT4,0/0,J365/23", at("2026-01-01T03:00:00Z")) == -4h);
    CHECK(offset_from_rule("AAA0BBB,J60/0,J300/0", at("2028-02-29T12:00:00Z")) ==
          0s);  // J60 is 1 March in a leap year too
    CHECK(offset_from_rule("AAA0BBB,J60/0,J300/0", at("2028-03-01T00:00:00Z")) == 1h);
    for (const char* broken :
         {"", "E5", "EST", "EST25", "EST5EDT", "EST5EDT,M3.2.0", "EST5EDT,M13.2.0,M11.1.0", "EST5EDT,M3.6.0,M11.1.0",
          "EST5EDT,M3.2.7,M11.1.0", "EST5EDT,J0,J9", "EST5EDT,M3.2.0,M11.1.0x", "<+03-3", "EST5EDT,M3.2.0/168,M11.1.0",
          "EST5:60", "EST5EDT,M3,M11"}) {
        CAPTURE(broken);
        CHECK_FALSE(offset_from_rule(broken, july).has_value());
    }
}
