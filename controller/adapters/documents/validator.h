#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "controller/adapters/documents/problem.h"
#include "controller/adapters/documents/schema.h"
#include "controller/adapters/documents/tree.h"

namespace galleryd::documents {

// Applies defaults to `value` and appends what is wrong with it. Rules run only where the schema itself is satisfied,
// as in Kubernetes. With `old_value`, transition rules run as well. `piece`: the text, to quote scalars as they were
// written; may be null.
class Validator {
  public:
    Validator(std::vector<Problem>& problems, const Piece* piece, const Places* places)
        : problems_(problems), piece_(piece), places_(places) {}
    void check(const Schema& schema, nlohmann::json& value, const std::string& pointer);
    void check_rules(const Schema& schema, const nlohmann::json& value, const nlohmann::json* old_value,
                     const std::string& pointer);

  private:
    void check_object(const Schema& schema, nlohmann::json& value, const std::string& pointer);
    void check_array(const Schema& schema, nlohmann::json& value, const std::string& pointer);
    void check_list_keys(const Schema& schema, const nlohmann::json& value, const std::string& pointer);
    void check_string(const Schema& schema, const std::string& value, const std::string& pointer);
    void check_number(const Schema& schema, const nlohmann::json& value, const std::string& pointer);
    void wrong_type(const Schema& schema, const nlohmann::json& value, const std::string& pointer);
    void unknown_field(const Schema& schema, const std::string& key, const std::string& pointer);
    void add(const char* code, const std::string& pointer, std::string message, std::string remedy,
             bool at_key = false);

    std::vector<Problem>& problems_;
    const Piece* piece_;
    const Places* places_;
};

}  // namespace galleryd::documents
