#pragma once
#include <string>

namespace CLI {
class App;
}

namespace galleryd {

// docs/reference/cli.md: every command with its arguments and flags, their defaults and environment variables, out of
// the parser itself. Commands that are not shown in the help are left out.
std::string cli_markdown(const CLI::App& root);

}  // namespace galleryd
