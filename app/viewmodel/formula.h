// A formula as terms with their live numbers underneath, for the view that draws it. Pure.
#pragma once

#include <string>
#include <vector>

namespace app {

struct FormulaTerm {
  std::string symbol;    // "α", "+", "H"
  std::string sub, sup;  // "t−1", "T"
  std::string number;    // drawn under the symbol; empty: nothing
};
using Formula = std::vector<FormulaTerm>;

}  // namespace app
