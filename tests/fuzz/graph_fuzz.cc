#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "controller/adapters/azure/graph_rows.h"
#include "controller/adapters/azure/graph_user_rows.h"
#include "controller/core/fingerprint.h"
#include "tests/fuzz/target.h"

// A page of Resource Graph and its rows. The scanner cuts rows out of the text without parsing them: what it finds must
// be what the parser finds.
namespace galleryd::fuzz {
namespace {

using namespace galleryd::azure;
using nlohmann::json;

struct Sink : InventorySink {
    void on_gallery(ObservedGallery row) override { prints.push_back(fingerprint(row)); }
    void on_definition(ObservedDefinition row) override { prints.push_back(fingerprint(row)); }
    void on_version(ObservedVersion row) override { prints.push_back(fingerprint(row)); }
    std::vector<std::string> prints;
};

template <class T>
void check_failure(const Result<T>& read) {
    if (read) return;
    require_clear(read.error());
    require(read.error().kind == ErrorKind::transient, "a bad row says nothing about a resource");
}

// Nullopt when a member comes twice: then the parser keeps the last one and the scanner both.
std::optional<json> reference(std::string_view bytes) {
    std::map<int, std::set<std::string>> names;
    bool twice = false;
    const auto look = [&](int depth, json::parse_event_t event, json& parsed) {
        if (event == json::parse_event_t::object_start) names[depth + 1].clear();
        if (event == json::parse_event_t::key && !names[depth].insert(parsed.get<std::string>()).second) twice = true;
        return true;
    };
    json tree = json::parse(bytes, look, false);
    if (twice) return std::nullopt;
    return tree;
}

void check_page(std::string_view bytes, const GraphPage& page) {
    for (const std::string_view row : page.rows) {
        require(row.data() >= bytes.data() && row.data() + row.size() <= bytes.data() + bytes.size(),
                "rows lie within the page");
    }
    if (bytes.contains("\\u")) return;  // names of members are compared as they are written
    auto tree = reference(bytes);
    if (!tree || !tree->is_object()) return;  // the rows' own parser will tell
    const json& data = (*tree)["data"];
    if (!data.is_array()) return;
    require(data.size() == page.rows.size(), "the scanner finds the rows that the parser finds");
    for (std::size_t i = 0; i < page.rows.size(); ++i)
        require(json::parse(page.rows[i], nullptr, false) == data[i], "and cuts them where they end");
    if ((*tree)["totalRecords"].is_number_unsigned())
        require(page.total == (*tree)["totalRecords"].get<std::uint64_t>(), "the total is the page's");
    const json& token = (*tree)["$skipToken"];
    require(page.skip_token == (token.is_string() ? token.get<std::string>() : ""), "so is the token");
}

void check_row(std::string_view row) {
    const DecodeContext context{.read_at = TimePoint{}, .server_date = std::nullopt, .keep_raw = false};
    Sink sink, again;
    const auto hash = deliver_row(row, context, sink);
    check_failure(hash);
    require(sink.prints.size() == (hash ? 1U : 0U), "a row is delivered once or not at all");
    const auto second = deliver_row(row, context, again);
    require(hash.has_value() == second.has_value() && (!hash || *hash == *second), "a row has one hash");
    require(again.prints == sink.prints, "a row reads the same twice");
    check_failure(read_subscription_row(row));
    check_failure(read_change_row(row));
    check_failure(read_facts_row(row));
    check_failure(read_reach_row(row));
    check_failure(read_scale_set_row(row));
    check_failure(read_id_row(row));
    const auto user = read_user_row(row, {{"golden-unique", gallery_id("s", "g", "golden")}});
    check_failure(user);
    if (user) require(!user->id.empty() && user->users.size() <= 2, "a user is a resource with one or two images");
}

void run(std::string_view bytes) {
    const auto page = scan_graph_page(bytes);
    check_failure(page);
    if (!page) return check_row(bytes);
    check_page(bytes, *page);
    constexpr std::size_t rows_max = 20;
    for (std::size_t i = 0; i < std::min(page->rows.size(), rows_max); ++i) check_row(page->rows[i]);
}

const Registered registered({.name = "graph", .run = run, .mutations = 2000});

}  // namespace
}  // namespace galleryd::fuzz
