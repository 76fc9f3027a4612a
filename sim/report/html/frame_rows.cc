#include "sim/report/html/frame_rows.h"

namespace otasim::report::html {

using nlohmann::json;

void FrameRows::take(const json& frame) {
  if (rows_.size() >= kMostFrames) {
    ++left_off_;
    return;
  }
  const auto& what = frame.at("summary").get_ref<const std::string&>();
  const auto [kind, is_new] = numbers_.try_emplace(what, numbers_.size());
  if (is_new) kinds_.push_back(what);
  const auto& way = frame.at("direction").get_ref<const std::string&>();
  const int direction = way == "from_device" ? 0 : way == "to_device" ? 1 : 2;
  rows_.push_back(json::array({frame.at("t_us"), direction, kind->second, frame.at("length_bytes")}));
}

json FrameRows::tell() const {
  return {{"kinds", kinds_}, {"rows", rows_}, {"left_off", left_off_}};
}

}  // namespace otasim::report::html
