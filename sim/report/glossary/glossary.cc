#include "sim/report/glossary/glossary.h"

#include <algorithm>
#include <cctype>

#include "sim/base/stable_sort.h"
#include "sim/base/text.h"
#include "sim/report/glossary/parts.h"

namespace otasim::report {
namespace {

/// Of a name that is searched for; longer ones are nobody's.
constexpr std::size_t kMaxName = 200;
/// Names that are so short are within many others.
constexpr std::size_t kMinWithin = 3;

std::vector<Topic> all_topics() {
  std::vector<Topic> all;
  for (const auto part : {agent_topics(), boot_topics(), app_topics(), cloud_topics(), simulator_topics()})
    all.insert(all.end(), part.begin(), part.end());
  return all;
}

/// Letters and digits only, small.
std::string bare(std::string_view name) {
  std::string text;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0) text += static_cast<char>(std::tolower(byte));
  }
  return text;
}

std::string without_prefix(const Topic& topic, const Term& term) {
  std::string_view name = term.name;
  if (name.starts_with(topic.prefix)) name.remove_prefix(topic.prefix.size());
  return bare(name);
}

}  // namespace

std::span<const Topic> topics() {
  static const std::vector<Topic> all = all_topics();
  return all;
}

const Topic* find_topic(std::string_view name) {
  const auto found =
      std::ranges::find_if(topics(), [&](const Topic& one) { return bare(one.name) == bare(name); });
  return found == topics().end() ? nullptr : &*found;
}

const Term* find_in(const Topic& topic, std::string_view name) {
  const auto found = std::ranges::find(topic.terms, name, &Term::name);
  return found == topic.terms.end() ? nullptr : &*found;
}

const Term* find_in(const Topic& topic, std::int64_t code) {
  const auto found = std::ranges::find(topic.terms, std::optional(code), &Term::code);
  return found == topic.terms.end() ? nullptr : &*found;
}

std::vector<Found> find(std::string_view name) {
  const std::string wanted = bare(name.substr(0, kMaxName));
  std::vector<Found> found;
  if (wanted.empty()) return found;
  for (const Topic& topic : topics()) {
    for (const Term& term : topic.terms) {
      if (wanted == bare(term.name) || wanted == without_prefix(topic, term))
        found.push_back({&topic, &term});
    }
  }
  return found;
}

std::vector<Found> nearest(std::string_view name, std::size_t limit) {
  const std::string wanted = bare(name.substr(0, kMaxName));
  struct Candidate {
    std::size_t cost;
    Found found;
  };
  std::vector<Candidate> candidates;
  for (const Topic& topic : topics()) {
    for (const Term& term : topic.terms) {
      const std::string full = bare(term.name);
      const std::string part = without_prefix(topic, term);
      const std::size_t cost = std::min(edit_distance(wanted, full), edit_distance(wanted, part));
      if (wanted.size() >= kMinWithin && full.find(wanted) != std::string::npos) {
        candidates.push_back({0, {&topic, &term}});
      } else if (cost * 3 <= std::max(wanted.size(), std::size_t{1})) {
        candidates.push_back({cost, {&topic, &term}});
      }
    }
  }
  otasim::stable_sort(candidates, {}, &Candidate::cost);
  std::vector<Found> found;
  for (const Candidate& candidate : candidates) {
    if (found.size() == limit) break;
    found.push_back(candidate.found);
  }
  return found;
}

}  // namespace otasim::report
