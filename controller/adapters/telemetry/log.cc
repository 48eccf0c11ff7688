#include "controller/adapters/telemetry/log.h"

#include <unistd.h>

#include <cerrno>
#include <mutex>
#include <nlohmann/json.hpp>

#include "controller/core/check.h"

namespace galleryd::telemetry {

namespace {

using nlohmann::ordered_json;

constexpr std::size_t value_bytes_max = 4096;
constexpr std::size_t fields_max = 32;
constexpr std::string_view cut_mark = "…";

// At most `limit` bytes, never through the middle of a UTF-8 sequence.
std::string shortened(std::string text, std::size_t limit) {
    if (text.size() <= limit) return text;
    std::size_t end = limit - cut_mark.size();
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
    text.resize(end);
    return text + std::string(cut_mark);
}

std::string print_json(const std::string& text) {
    return ordered_json(text).dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

// Quoted when it holds blanks, quotes, '=' or control characters: a value can never forge a field, a line or an escape
// sequence.
std::string print_text_value(const std::string& value) {
    for (const char c : value) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte <= ' ' || byte == 0x7F || c == '"' || c == '=' || c == '\\' || byte >= 0x80) return print_json(value);
    }
    return value.empty() ? "\"\"" : value;
}

std::string without_control_characters(std::string text) {
    for (char& c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < ' ' || byte == 0x7F) c = ' ';
    }
    return text;
}

class DescriptorLog : public Log {
  public:
    explicit DescriptorLog(LogOptions options) : options_(std::move(options)) {
        GALLERYD_CHECK(options_.now != nullptr, "a log needs a clock");
    }

    void write(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) override {
        if (level < options_.level) return;
        std::string line =
            options_.format == LogFormat::json ? json_line(level, message, fields) : text_line(level, message, fields);
        line += '\n';
        const std::lock_guard guard(mutex_);
        std::size_t written = 0;
        while (written < line.size()) {
            const ssize_t count = ::write(options_.descriptor, line.data() + written, line.size() - written);
            if (count < 0 && errno == EINTR) continue;
            if (count <= 0) return;  // nowhere to complain: a log that cannot be written must not stop the daemon
            written += static_cast<std::size_t>(count);
        }
    }

  private:
    // Fields are added while the line stays within its limit; what no longer fits is counted, not silently dropped.
    template <class Print>
    void append_fields(std::string& line, std::initializer_list<LogField> fields, std::size_t reserve,
                       const Print& print) const {
        std::size_t done = 0;
        for (const auto& [key, value] : fields) {
            const std::string piece = print(key, shortened(redact(value), value_bytes_max));
            if (done >= fields_max || line.size() + piece.size() + reserve > log_line_bytes_max) break;
            line += piece;
            ++done;
        }
        if (done < fields.size()) line += print("fields_dropped", std::to_string(fields.size() - done));
    }

    std::string json_line(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) const {
        std::string line = "{\"ts\":\"" + format_rfc3339(options_.now()) + "\",\"level\":\"" +
                           std::string(to_string(level)) +
                           "\",\"msg\":" + print_json(shortened(redact(message), value_bytes_max));
        append_fields(line, fields, 64, [](std::string_view key, const std::string& value) {
            std::string name(key);
            if (name == "ts" || name == "level" || name == "msg") name += '_';  // one meaning per key
            return "," + print_json(name) + ":" + print_json(value);
        });
        return line + "}";
    }

    std::string text_line(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) const {
        std::string line = format_rfc3339(options_.now()).substr(11, 8) + " " + std::string(to_string(level));
        line.resize(17, ' ');
        line += without_control_characters(shortened(redact(message), value_bytes_max));
        append_fields(line, fields, 64, [](std::string_view key, const std::string& value) {
            return "  " + std::string(key) + "=" + print_text_value(value);
        });
        return line;
    }

    LogOptions options_;
    std::mutex mutex_;  // a line is longer than PIPE_BUF, and the blocking pool logs too
};

}  // namespace

std::string_view to_string(LogLevel level) {
    switch (level) {
        case LogLevel::debug: return "debug";
        case LogLevel::info: return "info";
        case LogLevel::warning: return "warning";
        case LogLevel::error: return "error";
    }
    return "error";
}

std::optional<LogLevel> parse_log_level(std::string_view text) {
    if (text == "debug") return LogLevel::debug;
    if (text == "info") return LogLevel::info;
    if (text == "warning" || text == "warn") return LogLevel::warning;
    if (text == "error") return LogLevel::error;
    return std::nullopt;
}

std::optional<LogFormat> parse_log_format(std::string_view text) {
    if (text == "json") return LogFormat::json;
    if (text == "text") return LogFormat::text;
    return std::nullopt;
}

std::unique_ptr<Log> make_log(LogOptions options) { return std::make_unique<DescriptorLog>(std::move(options)); }

}  // namespace galleryd::telemetry
