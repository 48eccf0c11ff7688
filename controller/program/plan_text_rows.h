#pragma once
#include <iosfwd>
#include <string>

#include "controller/core/plan.h"
#include "controller/program/plan_text.h"

// One row of the plan's text form: glyph, kind and name, what happens, the manifest line; details below, indented.
namespace galleryd {

class Rows {
  public:
    // `prefix` ("corp/golden/") is left out of addresses because the header names the gallery.
    Rows(TextOptions options, std::string prefix) : options_(options), prefix_(std::move(prefix)) {}

    void change(std::ostream& out, const Change& change) const;
    void blocked(std::ostream& out, const Blocked& blocked) const;
    void conflict(std::ostream& out, const Conflict& conflict) const;
    // An address with work under way, and how far it is in each region that is not done.
    void later(std::ostream& out, const Plan& plan, const LaterCreation& creation) const;
    void waiting(std::ostream& out, const Plan& plan, const std::string& address) const;

  private:
    enum class Colour : std::uint8_t { none, green, yellow, red, dim };
    void head(std::ostream& out, char glyph, Colour colour, const std::string& what, const std::string& action,
              const SourceLocation& where) const;
    void detail(std::ostream& out, const char* label, const std::string& text) const;
    void fields(std::ostream& out, const Change& change) const;
    void creation(std::ostream& out, const Change& change) const;
    std::string name_of(const std::string& kind, const std::string& address, const ResourceId& id) const;
    std::string value(const std::string& text) const { return printable(text, options_.wide ? 0 : 80); }

    TextOptions options_;
    std::string prefix_;
};

std::string plural(std::size_t number, const std::string& word);  // "1 region", "5 regions"

}  // namespace galleryd
