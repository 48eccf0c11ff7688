#pragma once
#include "controller/simulator/graph_run.h"

// Internal: the value of an expression in one row. Requires: run() has checked the columns.
namespace galleryd::simulator::kql {

struct Unresolved {
    std::string column;
};

Value evaluate(const Expr& expression, const Rows& rows, const Row& row, TimePoint now);
inline bool holds(const Expr& expression, const Rows& rows, const Row& row, TimePoint now) {
    return evaluate(expression, rows, row, now).is_true();
}

}  // namespace galleryd::simulator::kql
