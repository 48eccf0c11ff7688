#include <algorithm>

#include "controller/program/config_file.h"
#include "controller/program/estate_file.h"
#include "tests/fuzz/target.h"

// Files of the operator: --config, and the keys of --simulator-state.
namespace galleryd::fuzz {
namespace {

void run(std::string_view bytes) {
    const auto values = read_config(bytes, "galleryd.yaml");
    if (values) {
        require(values->size() <= 32, "there are not more values than flags");
        for (const auto& [variable, value] : *values) {
            require(variable.starts_with("GALLERYD_") &&
                        variable.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ_") == std::string::npos,
                    "a value becomes a variable of ours");
            require(!value.contains('\0'), "a value fits into the environment");
        }
    } else {
        require_clear(values.error());
        require(values.error().code == "GD5020", "a wrong file has its code");
    }
    const Status estate = check_estate_keys("estate.json", std::string(bytes));
    if (!estate) require_clear(estate.error());
}

const Registered registered({.name = "config", .run = run});

}  // namespace
}  // namespace galleryd::fuzz
