#include "controller/simulator/graph_kql.h"
#include "tests/fuzz/target.h"

// Queries that anybody may send to the built-in Resource Graph: a query, or a syntax error with a place.
namespace galleryd::fuzz {
namespace {

using namespace galleryd::simulator;

void run(std::string_view bytes) {
    const auto tokens = kql::read_tokens(bytes);
    if (const auto* list = std::get_if<std::vector<kql::Token>>(&tokens)) {
        require(!list->empty() && list->back().kind == kql::Token::Kind::end, "tokens have an end");
        require(list->size() <= bytes.size() + 1, "a token is a byte at least");
    }
    const auto parsed = kql::parse_query(bytes);
    if (const auto* problem = std::get_if<kql::Problem>(&parsed)) {
        require(!problem->code.empty() && problem->line >= 1, "a syntax error says where");
        return;
    }
    require(std::holds_alternative<std::vector<kql::Token>>(tokens), "a query consists of tokens");
    require(!std::get<kql::Query>(parsed).table.empty(), "a query is of a table");
}

const Registered registered({.name = "kql", .run = run});

}  // namespace
}  // namespace galleryd::fuzz
