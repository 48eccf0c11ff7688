#pragma once
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace galleryd {

enum class LogLevel : std::uint8_t { debug, info, warning, error };
using LogField = std::pair<std::string_view, std::string>;

// A constant message and key/value pairs (`key`, `kind`, `step`, `region`, `reason`, …). Never a secret, never an
// assembled sentence.
class Log {
  public:
    virtual ~Log() = default;
    virtual void write(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) = 0;
    void debug(std::string_view message, std::initializer_list<LogField> fields = {}) {
        write(LogLevel::debug, message, fields);
    }
    void info(std::string_view message, std::initializer_list<LogField> fields = {}) {
        write(LogLevel::info, message, fields);
    }
    void warning(std::string_view message, std::initializer_list<LogField> fields = {}) {
        write(LogLevel::warning, message, fields);
    }
    void error(std::string_view message, std::initializer_list<LogField> fields = {}) {
        write(LogLevel::error, message, fields);
    }
};

}  // namespace galleryd
