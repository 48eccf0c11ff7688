#pragma once
#include <functional>
#include <string>
#include <vector>

#include "controller/program/options.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

// Internal to controller/program/cli*: how verbs are put together.
namespace galleryd {

// One verb: its flags live as long as the parser, its action runs after parsing.
struct Verb {
    CLI::App* app = nullptr;
    std::function<int()> action;
};

// A flag with a value, its default and its environment variable (GALLERYD_…).
CLI::Option* flag(CLI::App* app, const std::string& name, std::string& value, const std::string& text);
void add_azure_flags(CLI::App* app, CommonOptions& common);
void add_source_flag(CLI::App* app, CommonOptions& common);

// Retention and the decisions of people: `retention preview`, `approve`, `hold`, `release`, `restore`.
std::vector<Verb> people_verbs(CLI::App& root);

}  // namespace galleryd
