#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

#include "controller/program/command_usage.h"

// How `galleryd usage` prints what it found: for people and for machines.
namespace galleryd {
namespace {

using Row = std::vector<std::string>;

std::string state_word(UsageState state) {
    switch (state) {
        case UsageState::in_use: return "in_use";
        case UsageState::not_in_use: return "not_in_use";
        case UsageState::unknown: return "unknown";
    }
    return "unknown";
}

std::string readable_text(std::size_t n) {
    return std::to_string(n) + (n == 1 ? " subscription can be read" : " subscriptions can be read");
}

std::string short_name(const ResourceId& version) {
    const auto definition = version.parent();
    const auto gallery = definition ? definition->parent() : std::nullopt;
    return (gallery ? gallery->name() + "/" + definition->name() + "/" : "") + version.name();
}

void print_table(std::ostream& out, const std::vector<Row>& rows) {
    std::vector<std::size_t> widths;
    for (const Row& row : rows) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    }
    for (const Row& row : rows) {
        for (std::size_t i = 0; i < row.size(); ++i)
            out << row[i] << (i + 1 < row.size() ? std::string(widths[i] - row[i].size() + 3, ' ') : "");
        out << "\n";
    }
}

std::string kind_word(UserKind kind) {
    std::string word(to_string(kind));
    std::ranges::replace(word, ' ', '_');
    return word;
}

std::string names_text(const ImageUser& user) { return user.takes_latest ? "latest" : user.version; }

}  // namespace

void print_usage_text(std::ostream& out, const UsageReport& report, bool wide) {
    const UsageState state = report.state();
    out << short_name(report.version) << "   "
        << (state == UsageState::in_use       ? "in use"
            : state == UsageState::not_in_use ? "not in use"
                                              : "unknown, which counts as in use")
        << "\n"
        << report.version.text() << "\n";
    if (!report.exists && report.is_readable)
        out << "This version is not in Azure (any more); what still names it is listed.\n";
    out << "\n";
    if (!report.found.users.empty()) {
        std::vector<Row> rows{{"KIND", "NAME", "REGION", "GROUP", "SUBSCRIPTION", "NAMES"}};
        if (wide) rows.front().push_back("ID");
        for (const ImageUser& user : report.found.users) {
            rows.push_back({std::string(to_string(user.kind)), name_of(user), user.region, user.id.resource_group(),
                            user.id.subscription(), names_text(user)});
            if (wide) rows.back().push_back(user.id.text());
        }
        print_table(out, rows);
        const std::string text = users_text(report.found.users);
        out << "\n" << text.substr(0, text.find(':')) << "; " << readable_text(report.readable.size()) << ".\n";
    } else if (state == UsageState::not_in_use) {
        out << "Nobody uses it as far as can be seen; " << readable_text(report.readable.size())
            << ". This is one look; retention takes two, fifteen minutes apart. Resource Graph lags: a machine made "
               "within the last minutes may be missing here.\n";
    } else {
        out << "No user is to be seen; " << readable_text(report.readable.size()) << ".\n";
    }
    for (std::size_t i = 0; i < report.found.doubts.size(); ++i) {
        out << "! " << report.found.doubts[i] << "\n";
        if (!report.found.way_out[i].empty()) out << "  do: " << report.found.way_out[i] << "\n";
    }
}

void print_usage_json(std::ostream& out, const UsageReport& report) {
    using Json = nlohmann::json;
    Json users = Json::array();
    Json counts = Json::object();
    for (const ImageUser& user : report.found.users) {
        users.push_back(Json{{"kind", kind_word(user.kind)},
                             {"id", user.id.text()},
                             {"name", name_of(user)},
                             {"region", user.region},
                             {"resource_group", user.id.resource_group()},
                             {"subscription_id", user.id.subscription()},
                             {"names", names_text(user)},
                             {"takes_latest", user.takes_latest}});
        Json& count = counts[std::string(kind_key(user.kind))];
        count = count.is_null() ? 1 : count.get<int>() + 1;
    }
    Json unknown = Json::array();
    for (std::size_t i = 0; i < report.found.doubts.size(); ++i)
        unknown.push_back(Json{{"message", report.found.doubts[i]}, {"way_out", report.found.way_out[i]}});
    Json missing = Json::array();
    for (const auto& [subscription, day] : report.missing)
        missing.push_back(Json{{"subscription_id", subscription}, {"last_readable", day}});
    const Json body{{"format_version", "1.0"},
                    {"kind", "Usage"},
                    {"observed_at", format_rfc3339(std::chrono::floor<std::chrono::seconds>(report.at))},
                    {"version", Json{{"id", report.version.text()},
                                     {"name", short_name(report.version)},
                                     {"exists", report.exists},
                                     {"readable", report.is_readable}}},
                    {"state", state_word(report.state())},
                    {"users", std::move(users)},
                    {"counts", std::move(counts)},
                    {"unknown", std::move(unknown)},
                    {"subscriptions", Json{{"readable", report.readable}, {"missing", std::move(missing)}}}};
    out << body.dump(2, ' ', false, Json::error_handler_t::replace) << "\n";
}

}  // namespace galleryd
