// The list of interventions as it is edited: undo and redo, and one edit for what a slider does until it is let go.
#include "app/viewmodel/intervention_list.h"

#include <doctest/doctest.h>

using engine::Operation;
using engine::Quantity;

TEST_CASE("a list of interventions: rows come and go, and every edit can be undone") {
  app::InterventionList list;
  CHECK_FALSE(list.can_undo());
  list.undo();
  list.add(app::neutral_intervention(Quantity::rotation, Operation::scale));
  CHECK(list.now()[0].value == 1);
  list.duplicate(0);
  list.duplicate(7);
  CHECK(list.now().size() == 2);
  app::Interventions next = list.now();
  for (const double value : {0.9, 0.5, 0.2}) {
    next[1].value = value;
    list.edit(next, 5);
  }
  CHECK(list.now()[1].value == 0.2);
  list.undo();
  CHECK(list.now()[1].value == 1);
  list.redo();
  CHECK(list.now()[1].value == 0.2);
  list.remove(0);
  CHECK_FALSE(list.can_redo());
  CHECK(list.now().size() == 1);
  list.edit(list.now());  // no edit
  list.undo();
  CHECK(list.now().size() == 2);
  while (list.can_undo()) list.undo();
  CHECK(list.now().empty());
  while (list.can_redo()) list.redo();
  CHECK(list.now()[0].value == 0.2);
}
