#pragma once
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "controller/core/check.h"
#include "controller/core/shelf.h"

namespace galleryd {

// How a value lies in a PackedMap: specialised beside the type, in a .cc that knows core/archive.h.
template <class Value>
struct Packing {
    static std::string pack(const Value& value);
    static Value unpack(const std::string& bytes);
};

// A std::map whose values are packed and compressed, for what is many and seldom looked at. A value comes out as a
// copy: `for (const auto& [key, value] : map)`, `map.at(key)` and `const auto found = map.find(key)` read as ever,
// nothing in the map changes but by insert_or_assign. Taking one out costs microseconds, so nobody walks over all of
// them on a path that is asked often.
template <class Key, class Value>
class PackedMap {
    using Map = std::map<Key, std::string>;

  public:
    class Entry {
      public:
        Entry(const Key& key, Value value) : first(key), second(std::move(value)) {}
        const Key& first;
        Value second;
        const Entry* operator->() const { return this; }
    };

    class Iterator {
      public:
        using value_type = Entry;
        using difference_type = std::ptrdiff_t;
        using iterator_category = std::input_iterator_tag;
        using reference = Entry;
        Iterator() = default;
        Iterator(const PackedMap* map, typename Map::const_iterator at) : map_(map), at_(at) {}
        Entry operator*() const { return Entry(at_->first, map_->unpacked(at_->second)); }
        Entry operator->() const { return **this; }
        const Key& key() const { return at_->first; }  // without its value
        Iterator& operator++() {
            ++at_;
            return *this;
        }
        Iterator operator++(int) {
            Iterator before = *this;
            ++at_;
            return before;
        }
        friend bool operator==(const Iterator& a, const Iterator& b) { return a.at_ == b.at_; }

      private:
        const PackedMap* map_ = nullptr;
        typename Map::const_iterator at_;
    };

    Iterator begin() const { return {this, map_.begin()}; }
    Iterator end() const { return {this, map_.end()}; }
    Iterator find(const Key& key) const { return {this, map_.find(key)}; }
    Iterator lower_bound(const Key& key) const { return {this, map_.lower_bound(key)}; }
    bool contains(const Key& key) const { return map_.contains(key); }
    std::size_t size() const { return map_.size(); }
    bool empty() const { return map_.empty(); }
    std::optional<Value> get(const Key& key) const {
        const auto found = map_.find(key);
        return found == map_.end() ? std::nullopt : std::optional(unpacked(found->second));
    }
    Value at(const Key& key) const { return unpacked(map_.at(key)); }

    // Whether that is news.
    bool insert_or_assign(const Key& key, const Value& value) {
        const std::string bytes = Packing<Value>::pack(value);
        const auto known = map_.find(key);
        if (known != map_.end() && shelf_.take_out(known->second) == bytes) return false;
        map_.insert_or_assign(key, shelf_.put_away(bytes));
        return true;
    }
    void erase(const Key& key) { map_.erase(key); }
    template <class Goes>  // by key
    void erase_keys_if(Goes goes) {
        std::erase_if(map_, [&goes](const auto& entry) { return goes(entry.first); });
    }
    std::size_t bytes() const {  // of the values, as they lie
        std::size_t sum = 0;
        for (const auto& [key, packed] : map_) sum += packed.size();
        return sum;
    }

  private:
    Value unpacked(const std::string& packed) const { return Packing<Value>::unpack(shelf_.take_out(packed)); }

    Map map_;
    Shelf shelf_;
};

}  // namespace galleryd
