#pragma once
#include <array>
#include <bit>
#include <boost/pfr.hpp>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "controller/core/boxed.h"
#include "controller/core/field_lines.h"
#include "controller/core/observed.h"
#include "controller/core/resource_id.h"

// Values as bytes and back, for what is kept and seldom looked at: pack(value), unpack<T>(bytes). Every member of an
// aggregate in order, so no list of fields can be forgotten; numbers of variable length, texts with their length. The
// bytes are this build's own: no version, no byte order, no checksum. Who writes them to a disk adds all three.
// Include it in .cc files only: it makes code for every member of every type that it is asked for.
namespace galleryd {

class ArchiveWriter {
  public:
    void number(std::uint64_t value);
    void text(std::string_view value);
    void raw(std::string_view value) { bytes_ += value; }
    std::string take() && { return std::move(bytes_); }

  private:
    std::string bytes_;
};

// Bytes that end too early, or a number that cannot be, leave it failed; what is read then is nought and empty.
class ArchiveReader {
  public:
    explicit ArchiveReader(std::string_view bytes) : rest_(bytes) {}
    std::uint64_t number();
    std::string_view text() { return raw(number()); }
    std::string_view raw(std::uint64_t size);
    std::uint64_t count();  // of things of a byte at least, each
    void fail() { failed_ = true; }
    bool failed() const { return failed_; }
    bool ended() const { return rest_.empty(); }

  private:
    std::string_view rest_;
    bool failed_ = false;
};

namespace archive {

template <class T>
void put(ArchiveWriter& out, const T& value);
template <class T>
void get(ArchiveReader& in, T& value);

template <class T>
inline constexpr bool is_observed = std::derived_from<T, ObservedBase> && !std::same_as<T, ObservedBase>;

// The three that have a base, which no reflection of C++23 looks through: their own members, in one place for both
// ways. archive_test.cc fails when one is missing.
template <class Self, class Visit>
void each_member(Self& self, Visit visit) {
    using Own = std::remove_const_t<Self>;
    if constexpr (std::same_as<Own, ObservedGallery>) {
        visit(self.description, self.soft_delete_enabled, self.permissions, self.shared_subscription_ids,
              self.shared_tenant_ids, self.sharing_groups_known, self.community_enabled, self.community);
    } else if constexpr (std::same_as<Own, ObservedDefinition>) {
        visit(self.publisher, self.offer, self.sku, self.os_type, self.os_state, self.hyper_v_generation,
              self.architecture, self.description, self.eula, self.privacy_statement_uri, self.release_note_uri,
              self.end_of_life, self.recommended_vcpus, self.recommended_memory_gb, self.disallowed_disk_types,
              self.purchase_plan, self.features);
    } else {
        static_assert(std::same_as<Own, ObservedVersion>);
        visit(self.number, self.target_regions, self.replica_count, self.storage_account_type, self.replication_mode,
              self.exclude_from_latest, self.published, self.end_of_life, self.end_of_life_unparsable, self.source,
              self.block_deletion_before_end_of_life, self.allow_deletion_of_replicated_locations, self.os_disk_gb,
              self.data_disks_gb, self.replication_known, self.replication);
    }
}

template <class T>
struct Kind {};  // what is no template below is a number, an enumeration or an aggregate

template <class T>
struct Kind<std::optional<T>> {
    static void put(ArchiveWriter& out, const std::optional<T>& value) {
        out.number(value ? 1 : 0);
        if (value) archive::put(out, *value);
    }
    static void get(ArchiveReader& in, std::optional<T>& value) {
        value.reset();
        if (in.number() != 0) archive::get(in, value.emplace());
    }
};

template <class T>
struct Kind<Boxed<T>> {
    static void put(ArchiveWriter& out, const Boxed<T>& value) {
        out.number(value ? 1 : 0);
        if (value) archive::put(out, *value);
    }
    static void get(ArchiveReader& in, Boxed<T>& value) {
        value.reset();
        if (in.number() != 0) archive::get(in, value.emplace());
    }
};

template <class T>
struct Kind<std::vector<T>> {
    static void put(ArchiveWriter& out, const std::vector<T>& value) {
        out.number(value.size());
        for (const T& item : value) archive::put(out, item);
    }
    static void get(ArchiveReader& in, std::vector<T>& value) {
        value.clear();
        const std::uint64_t count = in.count();
        value.reserve(count);
        for (std::uint64_t i = 0; i < count && !in.failed(); ++i) archive::get(in, value.emplace_back());
    }
};

template <class Key, class Value>
struct Kind<std::map<Key, Value>> {
    static void put(ArchiveWriter& out, const std::map<Key, Value>& value) {
        out.number(value.size());
        for (const auto& [key, item] : value) {
            archive::put(out, key);
            archive::put(out, item);
        }
    }
    static void get(ArchiveReader& in, std::map<Key, Value>& value) {
        value.clear();
        const std::uint64_t count = in.count();
        for (std::uint64_t i = 0; i < count && !in.failed(); ++i) {
            Key key{};
            archive::get(in, key);
            archive::get(in, value.emplace_hint(value.end(), std::move(key), Value{})->second);
        }
    }
};

template <class Key>
struct Kind<std::set<Key>> {
    static void put(ArchiveWriter& out, const std::set<Key>& value) {
        out.number(value.size());
        for (const Key& key : value) archive::put(out, key);
    }
    static void get(ArchiveReader& in, std::set<Key>& value) {
        value.clear();
        const std::uint64_t count = in.count();
        for (std::uint64_t i = 0; i < count && !in.failed(); ++i) {
            Key key{};
            archive::get(in, key);
            value.emplace_hint(value.end(), std::move(key));
        }
    }
};

template <class A, class B>
struct Kind<std::pair<A, B>> {
    static void put(ArchiveWriter& out, const std::pair<A, B>& value) {
        archive::put(out, value.first);
        archive::put(out, value.second);
    }
    static void get(ArchiveReader& in, std::pair<A, B>& value) {
        archive::get(in, value.first);
        archive::get(in, value.second);
    }
};

template <class... Ts>
struct Kind<std::variant<Ts...>> {
    static void put(ArchiveWriter& out, const std::variant<Ts...>& value) {
        out.number(value.index());
        std::visit([&out](const auto& held) { archive::put(out, held); }, value);
    }
    static void get(ArchiveReader& in, std::variant<Ts...>& value) {
        const std::uint64_t index = in.number();
        std::uint64_t at = 0;
        const bool known = ((at++ == index ? (archive::get(in, value.template emplace<Ts>()), true) : false) || ...);
        if (!known) in.fail();
    }
};

template <class Rep, class Period>
struct Kind<std::chrono::duration<Rep, Period>> {
    static void put(ArchiveWriter& out, const std::chrono::duration<Rep, Period>& value) {
        archive::put(out, value.count());
    }
    static void get(ArchiveReader& in, std::chrono::duration<Rep, Period>& value) {
        Rep count{};
        archive::get(in, count);
        value = std::chrono::duration<Rep, Period>(count);
    }
};

template <class Clock, class Unit>
struct Kind<std::chrono::time_point<Clock, Unit>> {
    static void put(ArchiveWriter& out, const std::chrono::time_point<Clock, Unit>& value) {
        archive::put(out, value.time_since_epoch());
    }
    static void get(ArchiveReader& in, std::chrono::time_point<Clock, Unit>& value) {
        Unit since{};
        archive::get(in, since);
        value = std::chrono::time_point<Clock, Unit>(since);
    }
};

template <>
struct Kind<std::string> {
    static void put(ArchiveWriter& out, const std::string& value) { out.text(value); }
    static void get(ArchiveReader& in, std::string& value) { value = in.text(); }
};

template <>
struct Kind<ResourceId> {
    static void put(ArchiveWriter& out, const ResourceId& value) { out.text(value.text()); }
    static void get(ArchiveReader& in, ResourceId& value) {
        const std::string_view text = in.text();
        value = text.empty() ? ResourceId{} : ResourceId(std::string(text));
    }
};

template <>
struct Kind<FieldLines> {
    static void put(ArchiveWriter& out, const FieldLines& value) { out.text(value.packed()); }
    static void get(ArchiveReader& in, FieldLines& value) { value = FieldLines::from_packed(std::string(in.text())); }
};

template <class T>
concept HasKind = requires(ArchiveWriter& out, const T& value) {
    Kind<T>::put(out, value);
};

template <class T>
void put(ArchiveWriter& out, const T& value) {
    if constexpr (HasKind<T>) {
        Kind<T>::put(out, value);
    } else if constexpr (std::is_enum_v<T>) {
        out.number(static_cast<std::uint64_t>(value));
    } else if constexpr (std::unsigned_integral<T>) {
        out.number(value);
    } else if constexpr (std::signed_integral<T>) {  // small ones of either sign are short
        const auto wide = static_cast<std::int64_t>(value);
        out.number((static_cast<std::uint64_t>(wide) << 1U) ^ static_cast<std::uint64_t>(wide >> 63));
    } else if constexpr (std::same_as<T, double>) {
        const auto bits = std::bit_cast<std::array<char, sizeof(double)>>(value);
        out.raw({bits.data(), bits.size()});
    } else if constexpr (is_observed<T>) {
        put(out, static_cast<const ObservedBase&>(value));
        each_member(value, [&out](const auto&... members) { (put(out, members), ...); });
    } else {
        static_assert(std::is_aggregate_v<T>, "say in archive.h how this one is packed");
        boost::pfr::for_each_field(value, [&out](const auto& member) { put(out, member); });
    }
}

template <class T>
void get(ArchiveReader& in, T& value) {
    if constexpr (HasKind<T>) {
        Kind<T>::get(in, value);
    } else if constexpr (std::is_enum_v<T>) {
        value = static_cast<T>(in.number());
    } else if constexpr (std::unsigned_integral<T>) {
        value = static_cast<T>(in.number());
    } else if constexpr (std::signed_integral<T>) {
        const std::uint64_t folded = in.number();
        value = static_cast<T>(static_cast<std::int64_t>((folded >> 1U) ^ (~(folded & 1U) + 1U)));
    } else if constexpr (std::same_as<T, double>) {
        std::array<char, sizeof(double)> bits{};
        const std::string_view raw = in.raw(bits.size());
        raw.copy(bits.data(), bits.size());
        value = std::bit_cast<double>(bits);
    } else if constexpr (is_observed<T>) {
        get(in, static_cast<ObservedBase&>(value));
        each_member(value, [&in](auto&... members) { (get(in, members), ...); });
    } else {
        static_assert(std::is_aggregate_v<T>, "say in archive.h how this one is packed");
        boost::pfr::for_each_field(value, [&in](auto& member) { get(in, member); });
    }
}

}  // namespace archive

template <class T>
std::string pack(const T& value) {
    ArchiveWriter out;
    archive::put(out, value);
    return std::move(out).take();
}

// nullopt: not the bytes of a T, or cut off.
template <class T>
std::optional<T> unpack(std::string_view bytes) {
    ArchiveReader in(bytes);
    std::optional<T> value(std::in_place);
    archive::get(in, *value);
    if (in.failed() || !in.ended()) value.reset();
    return value;
}

}  // namespace galleryd
