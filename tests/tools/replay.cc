#include "controller/simulator/replay.h"

#include <cstdio>
#include <fstream>
#include <iterator>
#include <map>

// replay FILE…: sends each recording's requests to a fresh built-in Azure and prints every difference. Exit code 0:
// none.
int main(int argc, char** argv) {
    if (argc < 2) {
        std::fprintf(stderr, "usage: replay FILE...\n");
        return 64;
    }
    bool same = true;
    for (int i = 1; i < argc; ++i) {
        std::ifstream file(argv[i], std::ios::binary);
        if (!file) {
            std::fprintf(stderr, "replay: cannot read %s\n", argv[i]);
            return 1;
        }
        const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
        const auto report = galleryd::simulator::replay_recording(text);
        if (!report) {
            std::fprintf(stderr, "replay: %s: %s\n", argv[i], report.error().message.c_str());
            return 1;
        }
        for (const std::string& line : report->differences) std::printf("%s: %s\n", argv[i], line.c_str());
        for (const std::string& line : report->skipped) std::printf("%s: skipped: %s\n", argv[i], line.c_str());
        std::printf("%s: %d exchanges, %d compared, %zu skipped, %zu differences\n", argv[i], report->exchanges,
                    report->compared, report->skipped.size(), report->differences.size());
        same = same && report->differences.empty();
    }
    return same ? 0 : 1;
}
