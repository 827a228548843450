// Opening a session on the program's own backends; apart from session.cpp so that tests link without them.
#include "engine/session/session.h"

#include <utility>

namespace engine {

Result<std::unique_ptr<Session>> Session::open(std::shared_ptr<const Model> model, SessionOptions options) {
  options.backend.errors = true;  // what every record holds, measured where the step is made
  const BackendFactory make = [model, backend = options.backend] { return make_backend(model->weights, backend); };
  return open_on(make, std::move(model), std::move(options));
}

}  // namespace engine
