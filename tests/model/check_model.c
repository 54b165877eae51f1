/* The engine equals an oracle that remembers everything. See model.h. */
#include "tests/model/model.h"

int main(int argc, char **argv)
{
    return model_main(argc, argv);
}
