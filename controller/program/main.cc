#include "controller/program/cli.h"

int main(int argc, char** argv) { return galleryd::run_cli(argc, argv); }
