#include "controller/simulator/graph_run.h"

#include <algorithm>
#include <map>

#include "controller/simulator/graph_expr.h"

namespace galleryd::simulator::kql {
namespace {

std::vector<std::string> names_of(const std::vector<Named>& columns) {
    std::vector<std::string> names;
    for (const Named& column : columns) names.push_back(column.name);
    return names;
}

void project(const Stage& stage, TimePoint now, Rows& rows) {
    for (Row& row : rows.rows) {
        std::vector<Value> cells;
        cells.reserve(stage.columns.size());
        for (const Named& column : stage.columns) cells.push_back(evaluate(column.value, rows, row, now));
        row.cells = std::move(cells);
    }
    rows.columns = names_of(stage.columns);
    rows.made = rows.columns;
    rows.has_source = false;
}

void extend(const Stage& stage, TimePoint now, Rows& rows) {
    for (const Named& column : stage.columns) {  // a later column may use an earlier one
        auto place = std::ranges::find(rows.made, column.name);
        const auto index = static_cast<std::size_t>(place - rows.made.begin());
        std::vector<Value> values;
        values.reserve(rows.rows.size());
        for (const Row& row : rows.rows) values.push_back(evaluate(column.value, rows, row, now));
        if (place == rows.made.end()) rows.made.push_back(column.name);
        if (std::ranges::find(rows.columns, column.name) == rows.columns.end()) rows.columns.push_back(column.name);
        for (std::size_t i = 0; i < rows.rows.size(); ++i) {
            rows.rows[i].cells.resize(rows.made.size());
            rows.rows[i].cells[index] = std::move(values[i]);
        }
    }
}

void sort_rows(const Stage& stage, TimePoint now, Rows& rows) {
    struct Keyed {
        std::vector<Value> keys;
        std::size_t at;
    };
    std::vector<Keyed> keyed;
    keyed.reserve(rows.rows.size());
    for (std::size_t i = 0; i < rows.rows.size(); ++i) {
        Keyed one{.keys = {}, .at = i};
        for (const Ordered& order : stage.order) one.keys.push_back(evaluate(order.value, rows, rows.rows[i], now));
        keyed.push_back(std::move(one));
    }
    std::ranges::sort(keyed, [&stage](const Keyed& a, const Keyed& b) {
        for (std::size_t i = 0; i < stage.order.size(); ++i) {
            const auto order = order_of(a.keys[i], b.keys[i]);
            if (order != 0) return stage.order[i].ascending ? order < 0 : order > 0;
        }
        return a.at < b.at;  // equal rows keep their order
    });
    std::vector<Row> sorted;
    sorted.reserve(keyed.size());
    for (const Keyed& one : keyed) sorted.push_back(std::move(rows.rows[one.at]));
    rows.rows = std::move(sorted);
}

Value aggregate(const Expr& what, const Rows& rows, const std::vector<const Row*>& group, TimePoint now) {
    if (what.name == "count") return Value::of(group.size());
    Value best;
    for (const Row* row : group) {
        const Value value = evaluate(what.arguments.front(), rows, *row, now);
        if (value.is_null()) continue;
        const auto order = order_of(value, best);
        if (best.is_null() || (what.name == "min" ? order < 0 : order > 0)) best = value;
    }
    return best;
}

// Groups in order of their first row; without rows and without `by` there is one group, as count() of nothing is 0.
void summarize(const Stage& stage, TimePoint now, Rows& rows) {
    std::map<std::string, std::size_t> places;
    std::vector<std::vector<const Row*>> groups;
    std::vector<std::vector<Value>> keys;
    if (stage.groups.empty()) {
        groups.emplace_back();
        keys.emplace_back();
        places[""] = 0;
    }
    for (const Row& row : rows.rows) {
        std::vector<Value> key;
        std::string text;
        for (const Named& by : stage.groups) {
            key.push_back(evaluate(by.value, rows, row, now));
            text += key.back().printed().dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
        }
        const auto [place, is_new] = places.emplace(text, groups.size());
        if (is_new) {
            groups.emplace_back();
            keys.push_back(std::move(key));
        }
        groups[place->second].push_back(&row);
    }
    std::vector<Row> made;
    for (std::size_t i = 0; i < groups.size(); ++i) {
        Row row{.source = {}, .cells = std::move(keys[i])};
        for (const Named& column : stage.columns) row.cells.push_back(aggregate(column.value, rows, groups[i], now));
        made.push_back(std::move(row));
    }
    rows.columns = names_of(stage.groups);
    for (const Named& column : stage.columns) rows.columns.push_back(column.name);
    rows.made = rows.columns;
    rows.has_source = false;
    rows.rows = std::move(made);
}

void count_rows(Rows& rows) {
    Row row{.source = {}, .cells = {Value::of(rows.rows.size())}};
    rows.rows.clear();
    rows.rows.push_back(std::move(row));
    rows.columns = rows.made = {"Count"};
    rows.has_source = false;
}

void project_away(const Stage& stage, Rows& rows) {
    for (const Named& column : stage.columns) {
        if (std::erase(rows.columns, column.name) == 0) throw Unresolved{column.name};
    }
}

// Before a stage runs, so that a wrong column is told also when there are no rows.
void check_columns(const Expr& expression, const std::vector<std::string>& columns) {
    const bool missing =
        expression.kind == Expr::Kind::path && std::ranges::find(columns, expression.name) == columns.end();
    if (missing) throw Unresolved{expression.name};
    for (const Expr& argument : expression.arguments) check_columns(argument, columns);
}

void check_columns(const Stage& stage, std::vector<std::string> columns) {
    check_columns(stage.condition, columns);
    for (const Ordered& order : stage.order) check_columns(order.value, columns);
    for (const Named& group : stage.groups) check_columns(group.value, columns);
    for (const Named& column : stage.columns) {
        check_columns(column.value, columns);
        if (stage.kind == Stage::Kind::extend) columns.push_back(column.name);  // later ones may use it
    }
}

void run_stage(const Stage& stage, TimePoint now, Rows& rows) {
    switch (stage.kind) {
        case Stage::Kind::where:
            std::erase_if(rows.rows, [&](const Row& row) { return !holds(stage.condition, rows, row, now); });
            return;
        case Stage::Kind::project: return project(stage, now, rows);
        case Stage::Kind::project_away: return project_away(stage, rows);
        case Stage::Kind::extend: return extend(stage, now, rows);
        case Stage::Kind::order: return sort_rows(stage, now, rows);
        case Stage::Kind::take:
            if (rows.rows.size() > stage.rows) rows.rows.resize(stage.rows);
            rows.is_limited = true;
            return;
        case Stage::Kind::summarize:
        case Stage::Kind::distinct: return summarize(stage, now, rows);
        case Stage::Kind::count: return count_rows(rows);
    }
}

}  // namespace

const std::vector<std::string>& table_columns(std::string_view table) {
    static const std::vector<std::string> resources{
        "id",        "name", "type", "tenantId",   "kind", "location", "resourceGroup", "subscriptionId",
        "managedBy", "sku",  "plan", "properties", "tags", "identity", "zones",         "extendedLocation"};
    static const std::vector<std::string> changes{
        "id", "name", "type", "tenantId", "resourceGroup", "subscriptionId", "properties"};
    return table == "resourcechanges" ? changes : resources;
}

std::optional<RunError> run(const Query& query, TimePoint now, Rows& rows) {
    try {
        for (const Stage& stage : query.stages) {
            check_columns(stage, rows.columns);
            run_stage(stage, now, rows);
        }
    } catch (const Unresolved& unresolved) {
        return RunError{.code = "InvalidQuery",
                        .message =
                            "Query is invalid. Please refer to the documentation for the Azure Resource Graph "
                            "service and fix the error before retrying. Unresolved column: '" +
                            unresolved.column + "'."};
    }
    return std::nullopt;
}

}  // namespace galleryd::simulator::kql
