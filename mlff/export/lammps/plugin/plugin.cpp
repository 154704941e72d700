// What LAMMPS asks of a plugin. Its header lammpsplugin.h is not among those that are installed, so the struct is declared here
// (https://docs.lammps.org/Developer_plugins.html).
#include "fix_constrain.h"
#include "lammps.h"
#include "pair_mlff.h"

extern "C" {

typedef void *(lammpsplugin_factory1)(LAMMPS_NS::LAMMPS *);
typedef void *(lammpsplugin_factory2)(LAMMPS_NS::LAMMPS *, int, char **);

typedef struct {
  const char *version, *style, *name, *info, *author;
  union {
    lammpsplugin_factory1 *v1;
    lammpsplugin_factory2 *v2;
  } creator;
  void *handle;
} lammpsplugin_t;

typedef void (*lammpsplugin_regfunc)(lammpsplugin_t *, void *);

void lammpsplugin_init(void *lmp, void *handle, void *regfunc) {
  lammpsplugin_t plugin = {};
  plugin.version = static_cast<LAMMPS_NS::LAMMPS *>(lmp)->version;
  plugin.style = "pair", plugin.name = "mlff", plugin.info = "trained force fields, pair_style mlff", plugin.author = "mlff";
  plugin.creator.v1 = [](LAMMPS_NS::LAMMPS *lmp) -> void * { return new LAMMPS_NS::PairMLFF(lmp); };
  plugin.handle = handle;
  reinterpret_cast<lammpsplugin_regfunc>(regfunc)(&plugin, lmp);

  plugin.style = "fix", plugin.name = "mlff/constrain", plugin.info = "constrained anions, fix mlff/constrain";
  plugin.creator.v2 = [](LAMMPS_NS::LAMMPS *lmp, int narg, char **arg) -> void * { return new LAMMPS_NS::FixConstrain(lmp, narg, arg); };
  reinterpret_cast<lammpsplugin_regfunc>(regfunc)(&plugin, lmp);
}
}
