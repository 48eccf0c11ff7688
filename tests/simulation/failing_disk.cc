#include "tests/simulation/failing_disk.h"

namespace galleryd {

template <class Write>
auto FailingDisk::write(Write write, bool may_land) -> decltype(write()) {
    const auto broken = [] { return fail(ErrorKind::transient, "JournalFailed", "test: the disk failed"); };
    if (failed_) return broken();
    if (!writes_left_ || --*writes_left_ > 0) return write();
    failed_ = true;
    if (is_written_ && may_land) static_cast<void>(write());
    return broken();
}

Result<std::int64_t> FailingDisk::begin_intent(const Intent& intent) {
    return write([&] { return inner_->begin_intent(intent); });
}

Status FailingDisk::finish_intent(std::int64_t intent, const std::string& outcome, const std::string& correlation_id,
                                  TimePoint at, const std::optional<OperationRecord>& operation) {
    return write([&] { return inner_->finish_intent(intent, outcome, correlation_id, at, operation); });
}

Status FailingDisk::finish_operation(const std::string& resource, const std::string& outcome, TimePoint at) {
    return write([&] { return inner_->finish_operation(resource, outcome, at); });
}

Status FailingDisk::put_resource_record(const std::string& resource_key, const ResourceRecord& record) {
    return write([&] { return inner_->put_resource_record(resource_key, record); });
}

Status FailingDisk::forget_resource(const std::string& resource_key) {
    return write([&] { return inner_->forget_resource(resource_key); });
}

Status FailingDisk::update_good_documents(const std::string& source, const std::vector<GoodDocument>& put,
                                          const std::vector<ObjectKey>& gone) {
    Status stored = write([&] { return inner_->update_good_documents(source, put, gone); }, false);
    lost_documents = lost_documents || !stored;
    return stored;
}

Status FailingDisk::put_event(const EventRecord& event) {
    return write([&] { return inner_->put_event(event); });
}

Status FailingDisk::put_approval(const std::string& digest, const std::string& by, TimePoint expires) {
    return write([&] { return inner_->put_approval(digest, by, expires); });
}

Status FailingDisk::put_setting(const std::string& key, const std::string& value) {
    return write([&] { return inner_->put_setting(key, value); });
}

}  // namespace galleryd
