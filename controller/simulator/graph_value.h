#pragma once
#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "controller/core/time.h"
#include "controller/simulator/graph_kql.h"
#include "controller/simulator/json.h"

// Internal: values of the query language and what its operators make of them.
namespace galleryd::simulator::kql {

// A JSON value (referred to where possible: bodies are large), a point in time or a length of time.
class Value {
  public:
    enum class Kind : std::uint8_t { json, datetime, timespan };
    Value() = default;
    static Value refer(const Json& to) {  // `to` must outlive the value
        Value made;
        made.reference_ = &to;
        return made;
    }
    static Value of(Json json) {
        Value made;
        made.own_ = std::move(json);
        return made;
    }
    static Value time(TimePoint time) {
        Value made;
        made.kind_ = Kind::datetime;
        made.time_ = time.time_since_epoch();
        return made;
    }
    static Value length(Duration length) {
        Value made;
        made.kind_ = Kind::timespan;
        made.time_ = length;
        return made;
    }
    Kind kind() const { return kind_; }
    const Json& json() const { return reference_ != nullptr ? *reference_ : own_; }
    Duration duration() const { return time_; }
    TimePoint point() const { return TimePoint(time_); }
    bool is_reference() const { return reference_ != nullptr; }
    bool is_null() const { return kind_ == Kind::json && json().is_null(); }
    bool is_text() const { return kind_ == Kind::json && json().is_string(); }
    bool is_true() const { return kind_ == Kind::json && json().is_boolean() && json().get<bool>(); }
    std::string text() const;  // as tostring() prints it; "" for null
    Json printed() const;      // as an answer shows it

  private:
    Kind kind_ = Kind::json;
    const Json* reference_ = nullptr;
    Json own_;
    Duration time_{};
};

// By kind (null, boolean, number, text, time, the rest), then by value; text by bytes.
std::strong_ordering order_of(const Value& a, const Value& b);

// One comparison of the language. Values that cannot be compared are not equal and neither less nor greater: text is
// not turned into a time by itself (todatetime does that).
bool compare(std::string_view name, const Value& left, const Value& right);
Value add(const Value& left, const Value& right, bool subtract);

std::optional<TimePoint> parse_time(const Value& value);
std::string format_datetime(TimePoint time);  // "2026-03-01T00:00:00.0000000Z"

}  // namespace galleryd::simulator::kql
