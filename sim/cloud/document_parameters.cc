#include "sim/cloud/document_parameters.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>

#include "sim/base/json.h"
#include "sim/cloud/job_document.h"

namespace otasim::cloud {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMaxName = 128;
constexpr std::size_t kMaxValue = 512;
constexpr std::string_view kOpening = "${";

/// Goes through a document once, and gives up when its texts have grown too long.
class Substitution {
 public:
  explicit Substitution(const DocumentParameters& parameters) : parameters_(parameters) {}

  /// @returns whether all of it has been replaced
  bool replace_in(Json& document) {
    if (document.is_string()) {
      auto& text = document.get_ref<std::string&>();
      text = replaced(text);
      length_ += text.size();
    } else if (document.is_structured()) {
      for (auto& element : document) {  // kMaxNesting bounds the depth
        if (!replace_in(element)) return false;
      }
    }
    return length_ <= kMaxJobDocument;
  }

  [[nodiscard]] bool has_found(const std::string& name) const { return found_.contains(name); }

 private:
  /// A text with its parameters' values, or its beginning if it is too long.
  std::string replaced(std::string_view text) {
    std::string result;
    while (length_ + result.size() <= kMaxJobDocument) {
      const std::size_t at = text.find(kOpening);
      if (at == std::string_view::npos) return result.append(text);
      result.append(text.substr(0, at));
      text.remove_prefix(at + kOpening.size());
      const std::size_t name_size = text.substr(0, kMaxName + 1).find('}');
      const auto parameter = name_size == std::string_view::npos
                                 ? parameters_.end()
                                 : parameters_.find(text.substr(0, name_size));
      if (parameter == parameters_.end()) {
        result.append(kOpening);
        continue;
      }
      found_.insert(parameter->first);
      result.append(parameter->second);
      text.remove_prefix(name_size + 1);
    }
    return result;
  }

  const DocumentParameters& parameters_;
  std::set<std::string_view> found_;
  std::size_t length_ = 0;
};

}  // namespace

ServiceResult<void> check_document_parameters(const DocumentParameters& parameters) {
  const bool valid = std::ranges::all_of(parameters, [](const auto& parameter) {
    const auto& [name, value] = parameter;
    return !name.empty() && name.size() <= kMaxName && std::ranges::all_of(name, detail::is_word) &&
           !value.empty() && value.size() <= kMaxValue;
  });
  if (valid) return {};
  return refuse(ErrorCode::kInvalidRequest,
                fmt::format("A document parameter has a name of 1 to {} letters, digits, '_' or '-' and a "
                            "value of 1 to {} characters.",
                            kMaxName, kMaxValue));
}

ServiceResult<std::string> substitute_parameters(const std::string& document,
                                                 const DocumentParameters& parameters) {
  if (parameters.empty()) return document;
  Json json = Json::parse(document, nullptr, /*allow_exceptions=*/false);
  Substitution substitution(parameters);
  if (!substitution.replace_in(json)) {
    return refuse(ErrorCode::kInvalidRequest,
                  fmt::format("A job document may have {} characters; with its parameters this has more.",
                              kMaxJobDocument));
  }
  for (const auto& [name, value] : parameters) {
    if (substitution.has_found(name)) continue;
    return refuse(ErrorCode::kInvalidRequest,
                  fmt::format("The template's document has no parameter '{}'.", name));
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace otasim::cloud
