#pragma once

namespace galleryd {

// The command line: verbs, flags, environment (GALLERYD_…), --config. Returns the exit code of the contract.
int run_cli(int argc, char** argv);

}  // namespace galleryd
