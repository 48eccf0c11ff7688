#include <cmath>

#include "controller/program/prices.h"
#include "tests/fuzz/target.h"

// Price lists: usable prices or one message.
namespace galleryd::fuzz {
namespace {

void run(std::string_view bytes) {
    const auto prices = parse_prices(bytes, "prices.yaml");
    if (!prices) {
        require_clear(prices.error());
        require(prices.error().code == "GD5042", "a wrong price list has its code");
        require(prices.error().message.starts_with("prices.yaml"), "a message names its file");
        return;
    }
    require(parse_rfc3339(prices->date + "T00:00:00Z").has_value(), "prices are of a day");
    require(prices->currency.size() == 3, "prices have a currency");
    require(prices->snapshot_gb_month.contains("Standard_LRS"), "the price of most replicas is there");
    require(std::isfinite(prices->egress_gb) && prices->egress_gb >= 0 && prices->egress_gb <= 1000, "egress");
    for (const auto& [type, price] : prices->snapshot_gb_month)
        require(std::isfinite(price) && price >= 0 && price <= 1000, "a price is from 0 to 1000");
}

const Registered registered({.name = "prices", .run = run});

}  // namespace
}  // namespace galleryd::fuzz
