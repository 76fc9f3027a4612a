// All faults there are: each fault's name, what a file may say of it, and how its layer is told.
//
//   fault_shape()                              the table that files are checked with
//   carry_out(stage, "link.loss", arguments)   begins one
//   fault_catalog()                            for docs and `otasim scenario faults`
//
// A fault is an entry in its layer's part (fault_catalog_link.cc and so on) and nothing else: from there come
// the check of files and of `--fault`, the schema, the list and the execution.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/json.h"
#include "sim/base/result.h"
#include "sim/base/strike.h"
#include "sim/scenario/shape.h"

namespace otasim::scenario {

class Stage;

/// Ends what a fault has begun; empty: there is nothing to end.
using Undo = std::function<void()>;

/// What a file says of a fault, and whom it is about.
class FaultArguments {
 public:
  FaultArguments(const nlohmann::json& members, const Stage& stage) : members_(members), stage_(stage) {}

  /// The device it is about; if none is named, the first.
  [[nodiscard]] std::string device() const;
  /// The same, or nothing if none is named.
  [[nodiscard]] std::string named_device() const { return members_.value("device", ""); }
  [[nodiscard]] StrikePlan strike() const;
  template <typename T>
  [[nodiscard]] T get(const char* name, T otherwise) const {
    return members_.value(name, std::move(otherwise));
  }
  template <typename T>
  [[nodiscard]] std::optional<T> find(const char* name) const {
    const auto found = members_.find(name);
    if (found == members_.end()) return std::nullopt;
    return found->get<T>();
  }

 private:
  const nlohmann::json& members_;
  const Stage& stage_;
};

struct FaultKind {
  std::string_view name;
  std::string_view doc;
  std::string_view
      counted;  ///< which operations its strike plan counts; empty: it is an action, or has no plan
  std::vector<Member> members;
  std::function<Result<Undo>(Stage& stage, const FaultArguments& arguments)> begin;
  bool damages_flash = false;       ///< changes flash behind the part's back
  bool may_strike_nothing = false;  ///< it watches; nothing need ever come of it
};

/// In order of layers.
[[nodiscard]] const std::vector<FaultKind>& fault_catalog();
/// An object with one member: a fault's name.
[[nodiscard]] const Shape& fault_shape();

/// Whether a fault that is armed must strike, unless it says otherwise.
[[nodiscard]] bool must_strike(const std::string& fault);

/// Begins a fault. @param on_flash_damage  called with the device whose flash it changes
/// @returns what ends it; kUsage if a member makes no sense; kFailed if it cannot be done as things stand
[[nodiscard]] Result<Undo> carry_out(Stage& stage, const std::string& fault, const nlohmann::json& arguments,
                                     const std::function<void(const std::string& device)>& on_flash_damage);

// The layers' parts.
[[nodiscard]] std::vector<FaultKind> link_faults();
[[nodiscard]] std::vector<FaultKind> broker_faults();
[[nodiscard]] std::vector<FaultKind> cloud_faults();
[[nodiscard]] std::vector<FaultKind> device_faults();

// Members that tables share.
[[nodiscard]] Member integer_member(std::string_view name, double min, double max, std::string_view doc);
[[nodiscard]] Member text_member(std::string_view name, std::string_view doc);
[[nodiscard]] Member choice_member(std::string_view name, std::vector<std::string_view> values,
                                   std::string_view doc);
[[nodiscard]] Member flag_member(std::string_view name, std::string_view doc);

}  // namespace otasim::scenario
