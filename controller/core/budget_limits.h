#pragma once
#include <chrono>
#include <cstdint>
#include <span>
#include <string_view>

// How often Azure may be asked, in one table for everybody: the simulator enforces these numbers, the scheduler starts
// with them (and learns the real ones from the answers), and the ideal schedule is computed from them. Numbers:
// azure-facts §7; which of them are recorded and which documented is said there.
namespace galleryd {

// What a request is to Azure Resource Manager's own buckets. POST and PATCH are writes.
enum class RequestKind : std::uint8_t { read, write, remove };
RequestKind request_kind(std::string_view method);
std::string_view to_string(RequestKind kind);  // "reads", "writes", "deletes": as in the names of the headers

// ARM, per subscription (or tenant) and principal; the whole subscription gets `arm_principals` times as much.
struct BucketLimits {
    double capacity = 0, refill_per_second = 0;
};
BucketLimits arm_limits(RequestKind kind);
inline constexpr int arm_principals = 15;

inline constexpr std::chrono::minutes window_short{3}, window_long{30};

// One policy of the Compute provider: two nested fixed windows per subscription and region, shared by every client.
struct PolicyLimits {
    std::string_view stem;  // "GetGallery": the header says GetGallery3Min and GetGallery30Min
    int per_3_minutes, per_30_minutes;
    bool collection = false;  // refused with ResourceCollectionRequestsThrottled
};
std::span<const PolicyLimits> policy_limits();
const PolicyLimits* find_policy(std::string_view stem);

// The policy that a request is charged to; nullptr for requests that the provider does not count.
struct RequestTarget {
    std::string_view method;      // upper case
    std::string_view type;        // "microsoft.compute/galleries/images", lower case
    bool collection = false;      // the path ends with a type, not with a name
    bool resource_group = false;  // the path has one
};
const PolicyLimits* policy_of(const RequestTarget& target);

inline constexpr int graph_queries = 15;  // Resource Graph, per principal
inline constexpr std::chrono::seconds graph_window{5};

}  // namespace galleryd
