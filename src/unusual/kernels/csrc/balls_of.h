/* Included by balls.c once for each level: bit l of bits[r * tiles + t] says that row r lies in ball l of tile t. */
TARGET static void NAME(cover_rows)(const cover *c, const float *const *row, uint16_t *bits) {
    for (size t = 0; t < c->tiles; t++) {
        unsigned found[ROWS] = {0};
        for (size first = 0; first < TILE; first += LANES) {
            const float *at = c->tile + t * c->d * TILE + first;
            vf sum[ROWS];
            for (size r = 0; r < ROWS; r++) sum[r] = NAME(spread)(0.0f);
            for (size j = 0; j < c->d; j++, at += TILE) {
                vf centre = NAME(load)(at);
                for (size r = 0; r < ROWS; r++) {
                    vf step = NAME(sub)(NAME(spread)(row[r][j]), centre);
                    sum[r] = NAME(add)(sum[r], NAME(mul)(step, step));
                }
            }
            vf radius2 = NAME(load)(c->radius2 + t * TILE + first);
            for (size r = 0; r < ROWS; r++) found[r] |= NAME(at_most)(sum[r], radius2) << first;
        }
        for (size r = 0; r < ROWS; r++) bits[r * c->tiles + t] = (uint16_t)found[r];
    }
}
