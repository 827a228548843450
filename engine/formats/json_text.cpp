#include "engine/formats/json_text.h"

#include "engine/base/quote.h"

#include <fmt/format.h>

#include <set>
#include <stdexcept>
#include <vector>

namespace engine {

namespace {

struct Refused : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace

Result<nlohmann::json> parse_json_object(std::string_view text, const std::string& where) {
  using nlohmann::json;
  constexpr int deepest = 16;
  std::vector<std::set<std::string>> keys;  // of the objects that are open
  const auto watch = [&](int depth, json::parse_event_t event, json& parsed) {
    if (event == json::parse_event_t::object_start) keys.emplace_back();
    if (event == json::parse_event_t::object_end) keys.pop_back();
    if ((event == json::parse_event_t::object_start || event == json::parse_event_t::array_start) && depth >= deepest) {
      throw Refused(fmt::format("is nested deeper than {} levels", deepest));
    }
    if (event == json::parse_event_t::key && !keys.back().insert(parsed.get<std::string>()).second) {
      throw Refused(fmt::format("has the key {} twice in one object", in_quotes(parsed.get<std::string>())));
    }
    return true;
  };
  try {
    json value = json::parse(text.begin(), text.end(), watch);
    if (!value.is_object()) return input_error(fmt::format("{} is not a JSON object.", in_quotes(where)));
    return value;
  } catch (const json::parse_error& error) {
    return input_error(fmt::format("{} is not valid JSON at its byte {}.", in_quotes(where), error.byte));
  } catch (const json::exception&) {  // a number beyond the range of a double
    return input_error(fmt::format("{} is not valid JSON: a number is out of range.", in_quotes(where)));
  } catch (const Refused& refused) {
    return input_error(fmt::format("{} {}.", in_quotes(where), refused.what()));
  }
}

}  // namespace engine
