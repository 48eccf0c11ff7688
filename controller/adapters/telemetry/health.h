#pragma once
#include <map>
#include <string>

namespace galleryd::telemetry {

// Named checks behind /readyz. A check that was required stays not ready until somebody says otherwise. Thread: the
// executor's only.
class HealthState {
  public:
    // Registers a check as "not ready yet"; a known one keeps its state.
    void require(const std::string& check);
    void set_ready(const std::string& check, std::string remark = {});  // remark: shown by ?verbose
    void set_not_ready(const std::string& check, std::string reason);
    void remove(const std::string& check);

    bool is_ready() const;                                                        // every registered check is
    const std::map<std::string, std::string>& checks() const { return checks_; }  // name -> reason; "" = ready
    std::string remark_on(const std::string& check) const;

  private:
    std::map<std::string, std::string> checks_, remarks_;
};

}  // namespace galleryd::telemetry
