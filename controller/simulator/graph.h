#pragma once
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "controller/simulator/call.h"
#include "controller/simulator/faults.h"
#include "controller/simulator/graph_run.h"
#include "controller/simulator/world.h"

// Internal: Azure Resource Graph, `POST /providers/Microsoft.ResourceGraph/resources` (azure-facts §7.3 and §8; the
// specification 2024-04-01). What a page shows is the world as the index has it at that moment: pages are not a
// snapshot (unverified for the real service; its tokens hold an offset, so it cannot be one).
namespace galleryd::simulator {

// Rows of change records without their details, which never change: every question goes through those of fourteen days.
class ChangeRows {
  public:
    std::shared_ptr<const Json> row_of(const World& world, const ChangeEntry& entry);

  private:
    std::unordered_map<std::string, std::shared_ptr<const Json>> rows_;  // by the record's guid
};

class Graph {
  public:
    static bool serves(const Path& path);
    Answer answer(World& world, const Call& call, Fault* fault);

  private:
    struct Window {
        TimePoint start;
        int used = 0;
    };
    struct Shape {
        std::size_t top = 1000, skip = 0;
        bool table = false;
    };
    struct Scope {
        std::vector<std::string> subscriptions;  // lower case, readable ones
        std::string key;
        bool nothing_readable = false;
        std::string first;  // for the message then
    };
    // A query that was run: its rows stay until the view changes, so that pages are cheap.
    struct Done {
        std::string key;
        kql::Query query;
        kql::Rows rows;
    };

    std::optional<Answer> charge(World& world, const Call& call, http::Headers& headers);
    Answer answer_query(World& world, const Call& call, Fault* fault);
    // nullopt: fine; else what is wrong with the options.
    static std::optional<std::pair<std::string, std::string>> read_shape(const Json& options, Shape& shape);
    static Scope read_scope(const World& world, const Json& subscriptions, const std::string& client);
    // may_copy_text: nothing alters the rows on their way out (noise does).
    static Answer print_page(const kql::Rows& rows, const Shape& shape, const Fault* fault, bool may_copy_text);
    std::shared_ptr<const Done> run(World& world, const std::string& text, const Scope& scope, TimePoint then,
                                    Answer& refused);

    std::map<std::string, Window> windows_;            // by principal
    std::vector<std::shared_ptr<const Done>> recent_;  // newest last
    ChangeRows change_rows_;
};

// The rows of a table as the index has it at `then`. `rows` owns what is not in the world any more.
bool fill_table(const World& world, const kql::Query& query, const std::vector<std::string>& subscriptions,
                TimePoint then, ChangeRows& changes, kql::Rows& rows);

// Where a token says to go on, and how many rows to show; nullopt: not one of ours.
struct SkipToken {
    std::size_t rows = 0, skip = 0;
};
std::string print_skip_token(SkipToken token);
std::optional<SkipToken> parse_skip_token(const std::string& text);

}  // namespace galleryd::simulator
