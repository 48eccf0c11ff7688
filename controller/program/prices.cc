#include "controller/program/prices.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "controller/adapters/documents/plain_yaml.h"
#include "controller/core/assets.h"
#include "controller/core/time.h"

namespace galleryd {
namespace {

constexpr std::size_t file_bytes_max = 64 * 1024;  // a price list has a dozen lines
constexpr double price_max = 1000;
constexpr std::array<std::string_view, 4> storage_types{"Standard_LRS", "Standard_ZRS", "Premium_LRS", "PremiumV2_LRS"};

std::unexpected<Error> wrong(const std::string& where, const std::string& what) {
    return std::unexpected(
        Error{.kind = ErrorKind::invalid, .reason = "InvalidPrices", .message = where + ": " + what, .code = "GD5042"});
}

class PriceReader {
  public:
    PriceReader(const nlohmann::json& list, const documents::Places& places, const std::string& file)
        : list_(list), places_(places), file_(file) {}

    Result<Prices> read() {
        if (!list_.is_object())
            return wrong(file_, "a price list is a map with date, currency, snapshotGBMonth and egressGB");
        for (const auto& [name, value] : list_.items()) {
            if (name == "date") text(name, value, prices_.date, is_date, "write a date such as 2026-11-01");
            else if (name == "currency")
                text(name, value, prices_.currency, is_currency, "write a currency code such as USD");
            else if (name == "basis")
                text(
                    name, value, basis_, [](const std::string&) { return true; }, "write a text such as list price");
            else if (name == "egressGB") price("/egressGB", value, prices_.egress_gb);
            else if (name == "snapshotGBMonth") snapshots(value);
            else
                complain("/" + name, "\"" + name +
                                         "\" is not a field of a price list; known are date, currency, basis, "
                                         "snapshotGBMonth and egressGB");
        }
        if (prices_.date.empty())
            complain("", "date is missing: say of which day the prices are, such as date: 2026-11-01");
        if (!prices_.snapshot_gb_month.contains("Standard_LRS"))
            complain("", "snapshotGBMonth.Standard_LRS is missing: it is the price of most replicas");
        if (!problem_.empty()) return wrong(where_, problem_);
        return prices_;
    }

  private:
    // A calendar day: 2026-02-29 is none.
    static bool is_date(const std::string& text) {
        return text.size() == 10 && parse_rfc3339(text + "T00:00:00Z").has_value();
    }
    static bool is_currency(const std::string& text) {
        return text.size() == 3 && std::ranges::all_of(text, [](char c) { return c >= 'A' && c <= 'Z'; });
    }

    // The first problem is the one that is reported.
    void complain(const std::string& pointer, const std::string& what) {
        if (!problem_.empty()) return;
        where_ = file_ + ":" + std::to_string(places_.value_at(pointer).line);
        problem_ = what;
    }

    template <class Check>
    void text(const std::string& name, const nlohmann::json& value, std::string& target, Check check,
              const char* remedy) {
        if (!value.is_string() || !check(value.get_ref<const std::string&>()))
            return complain("/" + name, name + " cannot be read; " + remedy);
        target = value.get<std::string>();
    }

    void price(const std::string& pointer, const nlohmann::json& value, double& target) {
        const bool usable = value.is_number() && std::isfinite(value.get<double>()) && value.get<double>() >= 0 &&
                            value.get<double>() <= price_max;
        if (!usable) return complain(pointer, pointer.substr(1) + " is not a price from 0 to 1000, such as 0.05");
        target = value.get<double>();
    }

    void snapshots(const nlohmann::json& value) {
        if (!value.is_object())
            return complain("/snapshotGBMonth", "snapshotGBMonth is a map from storage account type to price");
        for (const auto& [type, amount] : value.items()) {
            const std::string pointer = "/snapshotGBMonth/" + type;
            if (std::ranges::find(storage_types, type) == storage_types.end()) {
                complain(pointer, "\"" + type +
                                      "\" is not a storage account type; known are Standard_LRS, Standard_ZRS, "
                                      "Premium_LRS and PremiumV2_LRS");
            } else {
                price(pointer, amount, prices_.snapshot_gb_month[type]);
            }
        }
    }

    const nlohmann::json& list_;
    const documents::Places& places_;
    const std::string& file_;
    Prices prices_;
    std::string basis_, where_, problem_;
};

}  // namespace

Result<Prices> parse_prices(std::string_view yaml, const std::string& file) {
    if (yaml.size() > file_bytes_max) return wrong(file, "the price list is larger than 64 KiB");
    const documents::PlainYaml read = documents::read_plain_yaml(yaml);
    if (!read.problem.empty())
        return wrong(read.line > 0 ? file + ":" + std::to_string(read.line) : file, read.problem);
    const nlohmann::json list = nlohmann::json::parse(read.json, nullptr, false);
    return PriceReader(list, read.places, file).read();
}

Result<Prices> load_prices(const std::optional<std::string>& path) {
    if (!path) {
        const auto all = assets();
        const auto found = std::ranges::find(all, prices_asset, &Asset::path);
        if (found == all.end()) return wrong(prices_asset, "the embedded price list is missing from this build");
        return parse_prices(found->content, prices_asset);
    }
    std::ifstream file(*path, std::ios::binary);
    if (!file) return wrong(*path, std::string("the price list cannot be read: ") + std::strerror(errno));
    std::string text(file_bytes_max + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (file.bad()) return wrong(*path, "the price list cannot be read");
    text.resize(static_cast<std::size_t>(file.gcount()));
    return parse_prices(text, *path);
}

}  // namespace galleryd
