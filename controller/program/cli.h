#pragma once
#include <string>

namespace galleryd {

// The command line: verbs, flags, environment (GALLERYD_…), --config. Returns the exit code of the contract.
int run_cli(int argc, char** argv);

std::string command_line_markdown();  // docs/reference/cli.md

}  // namespace galleryd
