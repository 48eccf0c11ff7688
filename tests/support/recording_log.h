#pragma once
#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "controller/ports/log.h"

namespace galleryd {

// Keeps every line for assertions.
class RecordingLog : public Log {
  public:
    struct Line {
        LogLevel level;
        std::string message;
        std::map<std::string, std::string> fields;
    };

    void write(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) override {
        Line& line = lines.emplace_back(Line{level, std::string(message), {}});
        for (const auto& [key, value] : fields) line.fields.emplace(key, value);
    }

    bool has(std::string_view message) const {
        return std::any_of(lines.begin(), lines.end(), [&](const Line& line) { return line.message == message; });
    }
    std::size_t count(std::string_view message) const {
        return static_cast<std::size_t>(
            std::count_if(lines.begin(), lines.end(), [&](const Line& line) { return line.message == message; }));
    }

    std::vector<Line> lines;
};

}  // namespace galleryd
