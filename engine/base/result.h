// Results at the program's borders: a value, or an error that says what, where and what to do.
// The kind of the error decides the exit code of a command.
#pragma once

#include <tl/expected.hpp>

#include <string>
#include <utility>

namespace engine {

enum class ErrorKind {
  input,   // wrong use or wrong input: exit code 2
  check,   // a check failed: exit code 1
  system,  // device or system failure: exit code 3
};

struct Error {
  ErrorKind kind = ErrorKind::input;
  std::string message;  // one or more sentences: what, where, what to do
};

template <class T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> input_error(std::string message) {
  return tl::unexpected<Error>(Error{ErrorKind::input, std::move(message)});
}
inline tl::unexpected<Error> check_error(std::string message) {
  return tl::unexpected<Error>(Error{ErrorKind::check, std::move(message)});
}
inline tl::unexpected<Error> system_error(std::string message) {
  return tl::unexpected<Error>(Error{ErrorKind::system, std::move(message)});
}

// The exit code that belongs to an error.
inline int exit_code(const Error& error) {
  return error.kind == ErrorKind::check ? 1 : error.kind == ErrorKind::input ? 2 : 3;
}

}  // namespace engine
