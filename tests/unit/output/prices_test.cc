#include "controller/program/prices.h"

#include <doctest/doctest.h>

#include "tests/support/temporary_directory.h"

using namespace galleryd;

TEST_CASE("the list inside the binary has every storage type, a date and a currency") {
    const auto prices = load_prices(std::nullopt);
    REQUIRE(prices.has_value());
    CHECK(prices->snapshot_gb_month.at("Standard_LRS") == 0.05);
    CHECK(prices->snapshot_gb_month.at("Standard_ZRS") == 0.05);
    CHECK(prices->snapshot_gb_month.at("Premium_LRS") == 0.10);
    CHECK(prices->egress_gb == 0.02);
    CHECK(prices->currency == "USD");
    CHECK(prices->date == "2026-11-01");
}

TEST_CASE("a list of one's own replaces it") {
    const TemporaryDirectory directory;
    directory.write("prices.yaml",
                    "date: 2026-02-28\ncurrency: CAD\nsnapshotGBMonth: {Standard_LRS: 0.07}\negressGB: 0\n");
    const auto prices = load_prices(directory.file("prices.yaml"));
    REQUIRE(prices.has_value());
    CHECK(prices->currency == "CAD");
    CHECK(prices->snapshot_gb_month.size() == 1);
    CHECK(prices->egress_gb == 0);
}

TEST_CASE("a wrong list is refused with file, line and what to write") {
    struct Wrong {
        const char* yaml;
        const char* message;
    };
    const Wrong lists[] = {
        {"date: 2026-13-01\nsnapshotGBMonth: {Standard_LRS: 1}\n",
         "p.yaml:1: date cannot be read; write a date such as 2026-11-01"},
        {"date: 2026-02-29\nsnapshotGBMonth: {Standard_LRS: 1}\n", "p.yaml:1: date cannot be read"},
        {"date: 2026-11-01\ncurrency: dollars\nsnapshotGBMonth: {Standard_LRS: 1}\n",
         "p.yaml:2: currency cannot be read"},
        {"date: 2026-11-01\nsnapshotGBMonth:\n  Standard_LRS: -1\n",
         "p.yaml:3: snapshotGBMonth/Standard_LRS is not a price from 0 to 1000"},
        {"date: 2026-11-01\nsnapshotGBMonth: {Standard_LRS: cheap}\n", "is not a price"},
        {"date: 2026-11-01\nsnapshotGBMonth: {Ultra: 1}\n", "\"Ultra\" is not a storage account type"},
        {"date: 2026-11-01\nsnapshotGBMonth: [1]\n", "snapshotGBMonth is a map"},
        {"date: 2026-11-01\negress: 1\n", "\"egress\" is not a field of a price list"},
        {"snapshotGBMonth: {Standard_LRS: 1}\n", "date is missing"},
        {"date: 2026-11-01\n", "snapshotGBMonth.Standard_LRS is missing"},
        {"- 1\n", "a price list is a map"},
        {"", "this file has none"},
        {"date: 2026-11-01\n---\ndate: 2026-11-01\n", "this file has more"},
        {"date: [\n", "p.yaml:"},
        {"a: &x [*x]\n", "p.yaml:1"},
        {"a\x01: 1\n", "control character"},
    };
    for (const Wrong& list : lists) {
        CAPTURE(list.yaml);
        const auto prices = parse_prices(list.yaml, "p.yaml");
        REQUIRE_FALSE(prices.has_value());
        CHECK(prices.error().code == "GD5042");
        CHECK(prices.error().kind == ErrorKind::invalid);
        CHECK_MESSAGE(prices.error().message.find(list.message) != std::string::npos, prices.error().message);
    }
    CHECK(load_prices("/nonexistent/prices.yaml").error().message.find("No such file") != std::string::npos);
}

TEST_CASE("a list beyond 64 KiB, or of several documents, is refused") {
    const std::string list = "date: 2026-02-28\ncurrency: CAD\nsnapshotGBMonth: {Standard_LRS: 0.07}\negressGB: 0\n";
    const auto large = parse_prices(list + "# " + std::string(64 * 1024, 'x'), "p.yaml");
    REQUIRE_FALSE(large.has_value());
    CHECK(large.error().code == "GD5042");
    CHECK(large.error().message == "p.yaml: the price list is larger than 64 KiB");
    const auto two = parse_prices(list + "---\n" + list, "p.yaml");
    REQUIRE_FALSE(two.has_value());
    CHECK(two.error().message == "p.yaml: one YAML document is expected, this file has more");
    const auto none = parse_prices("# nothing\n", "p.yaml");
    REQUIRE_FALSE(none.has_value());
    CHECK(none.error().message == "p.yaml: one YAML document is expected, this file has none");
}
