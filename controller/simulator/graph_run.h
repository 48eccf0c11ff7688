#pragma once
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "controller/core/time.h"
#include "controller/simulator/graph_kql.h"
#include "controller/simulator/graph_value.h"

// Internal: runs a query over the rows of a table.
namespace galleryd::simulator::kql {

// One row of a table before any stage: its columns are made when a stage asks for them.
struct Source {
    const Json* body = nullptr;  // as a GET prints it, or the row itself when `is_row`
    std::string_view type;       // folded
    bool is_row = false;
};

struct Row {
    Source source;             // until a stage gives the row new columns (`Rows::has_source`)
    std::vector<Value> cells;  // of the columns that stages made
};

struct Rows {
    std::vector<std::string> columns;  // what the answer shows, in order
    bool has_source = true;
    std::vector<std::string> made;  // names of the cells
    std::vector<Row> rows;
    std::string tenant;
    std::deque<Json> kept;    // owns what sources and cells refer to
    std::vector<std::shared_ptr<const Json>> shared;  // the same, of rows that other answers show as well
    bool is_limited = false;  // take or limit stood in the query
};

// Columns of the tables, in the order in which an answer without `project` shows them.
const std::vector<std::string>& table_columns(std::string_view table);

struct RunError {
    std::string code, message;
};
// `rows` holds the table's rows before and the result after. nullopt: done.
std::optional<RunError> run(const Query& query, TimePoint now, Rows& rows);
// One cell of the result, for a column of `rows.columns`.
Value cell_of(const Rows& rows, const Row& row, const std::string& column);

}  // namespace galleryd::simulator::kql
