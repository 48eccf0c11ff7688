#pragma once
#include "controller/adapters/azure/resource_graph.h"
#include "controller/adapters/azure/resource_graph_check.h"

// Internal: one question on its way through its pages.
namespace galleryd::azure {

struct ResourceGraph::Walk {
    Question question;
    RowReader reader;
    PageCheck check{};
    Walked result{};
    std::uint64_t total = 0;      // as the first page told it
    std::string next_token{};     // of the page that came last
    std::size_t next_offset = 0;  // not yet asked for by any worker
    std::size_t pages = 0;
    std::optional<Error> error{};  // the first of a worker: the others stop
};

}  // namespace galleryd::azure
