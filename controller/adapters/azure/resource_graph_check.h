#pragma once
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "controller/adapters/azure/graph_rows.h"
#include "controller/core/result.h"

// Whether the pages of one result are all of it; internal to this folder. Pure.
namespace galleryd::azure {

class PageCheck {
  public:
    // Before the rows are used: the page agrees with itself and with those before it.
    Status accept(const GraphPage& page);
    // After the rows were read, with the hashes of their ids. A page that came before, row for row, is an error.
    Status note_rows(const std::vector<std::uint64_t>& ids);
    // After the last page: enough different rows for every total that was told.
    Status finish() const;
    std::size_t rows() const { return ids_.size(); }
    std::size_t duplicates() const;

  private:
    std::vector<std::uint64_t> ids_;  // 8 bytes a row is all that stays of it
    std::set<std::uint64_t> pages_;
    std::set<std::string> tokens_;
    std::optional<std::uint64_t> first_total_, least_total_;
};

}  // namespace galleryd::azure
